#!/usr/bin/env bash
# Installs what is missing of deploy/apt-packages.txt. Usage: install.sh <section>...
# Asks the package database first, so that a second run costs nothing.
source "$(dirname "$0")/common.sh"

wanted() {
  awk -v sections=" $* " '
    /^## / { on = index(sections, " " $2 " ") }
    on && /^[^#]/ { print $1 }' deploy/apt-packages.txt
}

missing() {
  { # the database, then a marker, then what is wanted
    dpkg-query -W -f='${db:Status-Status} ${Package}\n'
    echo "--"
    wanted "$@"
  } | awk '
    $1 == "--" { asking = 1; next }
    !asking && $1 == "installed" { have[$2] = 1 }
    asking && !($1 in have)'
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "these packages are missing and only root can install them (there is no sudo here):" \
      "${packages[*]}"
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y "$@" >&2
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  die "this is no Debian: install by hand what deploy/apt-packages.txt names, then use" \
    "deploy/build.sh release and deploy/stack.sh up"
fi

list=$(missing "$@")
if [[ -n $list ]]; then
  mapfile -t packages <<<"$list"
  say "installing ${#packages[@]} missing packages: ${packages[*]}"
  apt_get update -q || say "the package lists could not be refreshed; trying with those at hand"
  apt_get install -q --no-install-recommends "${packages[@]}" ||
    die "apt-get could not install the packages above; its message stands before this line"
fi
