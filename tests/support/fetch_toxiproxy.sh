#!/usr/bin/env bash
# Builds the proxy that disturbs connections in the chaos run, once, into $THUMB_CACHE/toxiproxy: Debian
# has no package of it. The version is one that Debian 12's Go compiles.
source "$(dirname "$0")/../../deploy/common.sh"

version=v2.5.0
target=$THUMB_CACHE/toxiproxy-$version

[[ ! -x $target ]] || exit 0
command -v go >/dev/null || deploy/install.sh go
say "building toxiproxy $version (once) ..."
incoming=$(mktemp -d "$THUMB_CACHE/toxiproxy.XXXXXX")
trap 'rm -rf "$incoming"' EXIT
GOBIN=$incoming go install "github.com/Shopify/toxiproxy/v2/cmd/server@$version" >&2 ||
  die "toxiproxy could not be built; Go's message stands above"
mv "$incoming/server" "$target"
