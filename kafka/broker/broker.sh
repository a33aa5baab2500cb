#!/usr/bin/env bash
# Apache Kafka on this machine: one KRaft node on loopback, port THUMB_KAFKA_PORT, data in
# $THUMB_DATA_DIR/kafka. Usage: broker.sh start | stop | status | run
#   start   in the background; returns when it answers
#   run     in the foreground, in place of this script
source "$(dirname "$0")/../../deploy/common.sh"

home=$THUMB_DATA_DIR/kafka
java_base=(java -Djava.awt.headless=true "-Dlog4j2.configurationFile=$ROOT/kafka/broker/log4j2.properties"
  -cp "$JARS/*")
start_seconds=60

# The controller's port is nobody's business but the broker's own, so any free one will do; the voter
# list is configuration, not data, and may change between starts.
write_properties() {
  local controller_port
  controller_port=$(pick_port)
  mkdir -p "$home"
  sed -e "s/@BROKER_PORT@/$THUMB_KAFKA_PORT/g" -e "s/@CONTROLLER_PORT@/$controller_port/g" \
    kafka/broker/server.properties >"$home/server.properties"
}

# 22 characters of base64url: 16 random bytes.
new_cluster_id() { head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 1-22; }

format_once() {
  [[ ! -f $home/log/meta.properties ]] || return 0
  say "formatting Kafka's data folder $home"
  # An id must not begin with '-': the command line would take it for an option.
  (cd "$home" && "${java_base[@]}" kafka.tools.StorageTool format \
    -t "K$(new_cluster_id | cut -c 2-)" -c server.properties) >"$home/format.log" 2>&1 || {
    cat "$home/format.log" >&2
    die "Kafka's data folder could not be formatted"
  }
}

prepare() {
  [[ -f $JARS/.pom-sha256 ]] || kafka/broker/fetch.sh
  require_port THUMB_KAFKA_PORT Kafka
  write_properties
  format_once
}

# Stays the process that it was called as, so that its pid is the broker's.
run() {
  cd "$home" || exit 1
  # Folder names may hold any character; without this Java reads them as ASCII.
  LC_ALL=C.UTF-8 exec "${java_base[@]:0:1}" -Xmx512m -Xms256m -XX:+ExitOnOutOfMemoryError \
    "${java_base[@]:1}" kafka.Kafka server.properties
}

answers() { kcat -b "127.0.0.1:$THUMB_KAFKA_PORT" -L -m 2 >/dev/null 2>&1; }

wait_until_ready() {
  local pid=$1 deadline=$((SECONDS + start_seconds))
  until answers; do
    if ! kill -0 "$pid" 2>/dev/null; then
      show_log_tail kafka
      die "Kafka ended while it started"
    fi
    if ((SECONDS >= deadline)); then
      show_log_tail kafka
      stop_part kafka
      die "Kafka did not answer on port $THUMB_KAFKA_PORT within $start_seconds s"
    fi
    sleep 0.1
  done
}

start() {
  if pid_of kafka >/dev/null; then
    say "kafka is running already ($(pid_of kafka))"
    return
  fi
  prepare
  say "starting kafka on 127.0.0.1:$THUMB_KAFKA_PORT"
  spawn kafka "$ROOT/kafka/broker/broker.sh" run-prepared
  wait_until_ready "$(cat "$PIDS/kafka.pid")"
}

case ${1:-} in
  start) start ;;
  stop) stop_part kafka 30 ;;
  status) pid_of kafka >/dev/null && say "kafka is running ($(pid_of kafka))" ;;
  run) prepare && run ;;
  run-prepared) run ;; # what start() spawns
  *) die "usage: broker.sh start | stop | status | run" ;;
esac
