#!/usr/bin/env bash
# make audit: holds the log and the blobs of the stack to every promise, whether it runs or not. Gives
# what is under way ten seconds to end; the auditor's other settings come from the environment.
source "$(dirname "$0")/parts.sh"

kafka_started=no

# Kafka is left as it was found.
finish() {
  local status=$?
  trap - EXIT
  [[ $kafka_started == no ]] || stop_part kafka 30
  exit "$status"
}

lock_stack
trap finish EXIT
trap 'exit 130' INT TERM HUP
if [[ -z $THUMB_KAFKA_BOOTSTRAP ]] && ! already_runs kafka; then
  kafka_started=yes
  start_kafka
fi
THUMB_WAIT_MS=${THUMB_WAIT_MS:-10000} "$THUMB_BIN_DIR/auditor"
