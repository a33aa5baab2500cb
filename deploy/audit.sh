#!/usr/bin/env bash
# make audit: holds the log and the blobs of the stack to every promise, whether it runs or not. Gives
# what is under way ten seconds to end; the auditor's other settings come from the environment.
source "$(dirname "$0")/parts.sh"

# The brokers are left as they were found: nothing else is started.
finish() {
  local status=$?
  trap - EXIT
  stop_brokers "${STARTED[@]}"
  exit "$status"
}

lock_stack
trap finish EXIT
trap 'exit 130' INT TERM HUP
start_kafka
THUMB_KAFKA_BOOTSTRAP=$(service_bootstrap) THUMB_WAIT_MS=${THUMB_WAIT_MS:-10000} "$THUMB_BIN_DIR/auditor"
