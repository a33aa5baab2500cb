#!/usr/bin/env bash
# Apache Kafka on this machine, on loopback: one KRaft node, or a cluster of three (THUMB_KAFKA_NODES).
# Usage: broker.sh start | stop | status [node]     all nodes, or one (1, 2, 3)
#        broker.sh run [node]
#   start   in the background; returns when it answers
#   run     in the foreground, in place of this script
# The one node is the part `kafka`, three are `kafka-1`, ...: names of pid file, log and data folder
# below $THUMB_DATA_DIR. Ports: clients reach node n at THUMB_KAFKA_PORT + n - 1; three nodes reach
# each other's controllers at the three ports above.
# THUMB_KAFKA_EXTRA_LISTENER=<port>:<advertised port> adds a listener for clients that come through a
# proxy or tunnel: they are told to come to the advertised port.
source "$(dirname "$0")/../../deploy/common.sh"
choose_brokers

java_base=(java -Djava.awt.headless=true "-Dlog4j2.configurationFile=$ROOT/kafka/broker/log4j2.properties"
  -cp "$JARS/*")
start_seconds=60

part_of() { printf '%s' "${BROKERS[$1 - 1]}"; }
port_of() { printf '%s' $((THUMB_KAFKA_PORT + $1 - 1)); }
controller_port_of() { printf '%s' $((THUMB_KAFKA_PORT + THUMB_KAFKA_NODES + $1 - 1)); }

# The voter list is configuration, not data, and may change between starts. A lone node's controller
# port is nobody's business but its own, so any free one will do.
write_properties() {
  local node=$1 home=$2 port other voters='' replicas=$THUMB_KAFKA_NODES
  if ((THUMB_KAFKA_NODES == 1)); then
    port=$(pick_port)
    voters=1@127.0.0.1:$port
  else
    port=$(controller_port_of "$node")
    for other in 1 2 3; do voters+=${voters:+,}$other@127.0.0.1:$(controller_port_of "$other"); done
  fi
  local extra=${THUMB_KAFKA_EXTRA_LISTENER:-}
  sed -e "s/@NODE@/$node/g" -e "s/@VOTERS@/$voters/g" -e "s/@CONTROLLER_PORT@/$port/g" \
    -e "s/@BROKER_PORT@/$(port_of "$node")/g" -e "s/@REPLICAS@/$replicas/g" \
    -e "s/@MIN_ISR@/$(((replicas + 1) / 2))/g" \
    -e "s|@EXTRA_LISTENER@|${extra:+,EXTRA://127.0.0.1:${extra%:*}}|g" \
    -e "s|@EXTRA_ADVERTISED@|${extra:+,EXTRA://127.0.0.1:${extra#*:}}|g" \
    kafka/broker/server.properties >"$home/server.properties"
}

# 22 characters of base64url: 16 random bytes. Nodes that are formatted at once agree on one: who
# links the file first wins. An id must not begin with '-': the command line would take it for an option.
cluster_id() {
  local file=$THUMB_DATA_DIR/kafka-cluster-id
  if [[ ! -f $file ]]; then
    printf 'K%s\n' "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)" >"$file.$$"
    ln "$file.$$" "$file" 2>/dev/null || true
    rm -f "$file.$$"
  fi
  cat "$file"
}

format_once() {
  local home=$1
  [[ ! -f $home/log/meta.properties ]] || return 0
  say "formatting Kafka's data folder $home"
  (cd "$home" && "${java_base[@]}" kafka.tools.StorageTool format \
    -t "$(cluster_id)" -c server.properties) >"$home/format.log" 2>&1 || {
    cat "$home/format.log" >&2
    die "Kafka's data folder could not be formatted"
  }
}

prepare() {
  local node=$1 home
  home=$THUMB_DATA_DIR/$(part_of "$node")
  [[ -f $JARS/.pom-sha256 ]] || kafka/broker/fetch.sh
  require_port THUMB_KAFKA_PORT "$(part_of "$node")" $((node - 1))
  ((THUMB_KAFKA_NODES == 1)) || require_port THUMB_KAFKA_PORT "$(part_of "$node")" $((THUMB_KAFKA_NODES + node - 1))
  mkdir -p "$home"
  write_properties "$node" "$home"
  format_once "$home"
}

# Stays the process that it was called as, so that its pid is the broker's.
run() {
  cd "$THUMB_DATA_DIR/$(part_of "$1")" || exit 1
  local heap="-Xmx512m -Xms256m"
  ((THUMB_KAFKA_NODES == 1)) || heap="-Xmx384m -Xms256m"
  # Folder names may hold any character; without this Java reads them as ASCII.
  # shellcheck disable=SC2086  # two words
  LC_ALL=C.UTF-8 exec "${java_base[@]:0:1}" $heap -XX:+ExitOnOutOfMemoryError \
    "${java_base[@]:1}" kafka.Kafka server.properties
}

answers() { kcat -b "127.0.0.1:$(port_of "$1")" -L -m 2 >/dev/null 2>&1; }

wait_until_ready() {
  local node=$1 part pid deadline=$((SECONDS + start_seconds))
  part=$(part_of "$node")
  pid=$(cat "$PIDS/$part.pid")
  until answers "$node"; do
    if ! kill -0 "$pid" 2>/dev/null; then
      show_log_tail "$part"
      die "$part ended while it started"
    fi
    if ((SECONDS >= deadline)); then
      show_log_tail "$part"
      stop_part "$part"
      die "$part did not answer on port $(port_of "$node") within $start_seconds s"
    fi
    sleep 0.1
  done
}

running_count() {
  local part count=0
  for part in "${BROKERS[@]}"; do ! pid_of "$part" >/dev/null || count=$((count + 1)); done
  printf '%s' "$count"
}

# All that are wanted start before one is waited for: none answers before most of them are there.
start() {
  local node part started=()
  for node in "$@"; do
    part=$(part_of "$node")
    if pid_of "$part" >/dev/null; then
      say "$part is running already ($(pid_of "$part"))"
      continue
    fi
    prepare "$node"
    say "starting $part on 127.0.0.1:$(port_of "$node")"
    spawn "$part" "$ROOT/kafka/broker/broker.sh" run-prepared "$node"
    started+=("$node")
  done
  for node in "${started[@]}"; do
    if (($# < THUMB_KAFKA_NODES && 2 * $(running_count) < THUMB_KAFKA_NODES)); then
      say "$(part_of "$node") waits for another one: alone it is no majority"
    else
      wait_until_ready "$node"
    fi
  done
}

stop() {
  local node parts=()
  for node in "$@"; do parts+=("$(part_of "$node")"); done
  stop_brokers "${parts[@]}"
}

# 0 if all of them run.
status() {
  local node part all=0
  for node in "$@"; do
    part=$(part_of "$node")
    if pid_of "$part" >/dev/null; then say "$part is running ($(pid_of "$part"))"; else all=1; fi
  done
  return "$all"
}

verb=${1:-}
mapfile -t nodes < <(seq "$THUMB_KAFKA_NODES")
if (($# == 2)); then
  if ! [[ $2 =~ ^[1-9]$ ]] || (($2 > THUMB_KAFKA_NODES)); then
    die "there is no node \"$2\": they are 1 to $THUMB_KAFKA_NODES (THUMB_KAFKA_NODES)"
  fi
  nodes=("$2")
fi
case $verb in
  start | stop | status) "$verb" "${nodes[@]}" ;;
  run) prepare "${nodes[0]}" && run "${nodes[0]}" ;;
  run-prepared) run "${nodes[0]}" ;; # what start() spawns
  *) die "usage: broker.sh start | stop | status | run [node]" ;;
esac
