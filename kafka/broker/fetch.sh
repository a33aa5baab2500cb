#!/usr/bin/env bash
# Copies the broker's jars (pom.xml) into $THUMB_CACHE/kafka-jars, once: a stamp holds the pom's
# checksum. A failed download leaves nothing that a later start could take for complete.
source "$(dirname "$0")/../../deploy/common.sh"

pom=kafka/broker/pom.xml
stamp=$JARS/.pom-sha256
checksum=$(sha256sum <$pom)

fetched() { [[ -f $stamp && $(cat "$stamp") == "$checksum" ]]; }

# Quiet but for errors; Maven sends colour codes even then.
copy_jars() {
  mvn --quiet --batch-mode --no-transfer-progress --file "$pom" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$1" 2>&1 | sed $'s/\e\\[[0-9;]*m//g' >&2
}

fetched && exit 0
mkdir -p "$THUMB_CACHE"
exec 8>"$THUMB_CACHE/.kafka-jars.lock" # two stacks of one checkout may start at once
flock 8
fetched && exit 0

say "fetching Apache Kafka (about 55 MB of jars, once) ..."
incoming=$JARS.incoming
rm -rf "$incoming"
for attempt in 1 2 3; do
  copy_jars "$incoming" && break
  ((attempt < 3)) || die "Maven could not fetch the broker's jars; its message stands above"
  say "trying again ..."
done
printf '%s' "$checksum" >"$incoming/.pom-sha256"
rm -rf "$JARS"
mv "$incoming" "$JARS"
