#!/usr/bin/env bash
# make replay: rebuilds the view from the first record of the log. The last two lines of the output
# are the view's digest before and after: 64 hex digits each.
source "$(dirname "$0")/parts.sh"

projector_ran=no
kafka_started=no
digests=

# The rebuild needs the projector's folder and the log; both parts are left as they were found. The
# digests come last, after all that this says.
finish() {
  local status=$?
  trap - EXIT
  [[ $projector_ran == no ]] || start_service state_projector
  [[ $kafka_started == no ]] || stop_part kafka 30
  [[ -z $digests ]] || printf '%s\n' "$digests"
  exit "$status"
}

lock_stack
trap finish EXIT
trap 'exit 130' INT TERM HUP
if [[ -z $THUMB_KAFKA_BOOTSTRAP ]] && ! pid_of kafka >/dev/null; then
  kafka_started=yes
  start_kafka
fi
if pid_of state_projector >/dev/null; then
  projector_ran=yes
  stop_part state_projector
fi
say "rebuilding the view ..."
digests=$("$THUMB_BIN_DIR/state_projector" rebuild)
