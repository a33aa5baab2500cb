#!/usr/bin/env bash
# Fetches the jars of the fold in Kafka Streams (pom.xml) and compiles it, each once, into
# $THUMB_CACHE/oracle: jars/ and classes/.
source "$(dirname "$0")/../../deploy/common.sh"

pom=tests/oracle/pom.xml
oracle=$THUMB_CACHE/oracle
mapfile -t sources < <(find tests/oracle/src -name '*.java' | sort)
jars_sum=$(sha256sum <$pom)
classes_sum=$(sha256sum $pom "${sources[@]}")

done_with() { [[ -f $1 && $(cat "$1") == "$2" ]]; }

mkdir -p "$oracle"
exec 8>"$oracle/.lock" # two tests of one checkout may start at once
flock 8

if ! done_with "$oracle/jars/.sum" "$jars_sum"; then
  say "fetching Kafka Streams (about 90 MB of jars, once) ..."
  rm -rf "$oracle/jars" "$oracle/incoming"
  mvn --quiet --batch-mode --no-transfer-progress --file "$pom" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$oracle/incoming" >&2 ||
    die "Maven could not fetch Kafka Streams; its message stands above"
  printf '%s' "$jars_sum" >"$oracle/incoming/.sum"
  mv "$oracle/incoming" "$oracle/jars"
fi

if ! done_with "$oracle/classes/.sum" "$classes_sum"; then
  say "compiling the fold in Kafka Streams ..."
  rm -rf "$oracle/classes"
  javac -Werror -Xlint:all,-processing,-classfile,-path --release 17 -cp "$oracle/jars/*" -d "$oracle/classes" "${sources[@]}" >&2
  printf '%s' "$classes_sum" >"$oracle/classes/.sum"
fi
