#!/usr/bin/env bash
# make replay: rebuilds the view from the first record of the log. The last two lines of the output
# are the view's digest before and after: 64 hex digits each.
source "$(dirname "$0")/parts.sh"

projector_ran=no
digests=

# The rebuild needs the projector's folder and the log; both parts are left as they were found. The
# digests come last, after all that this says.
finish() {
  local status=$? brokers=("${STARTED[@]}") # nothing else was started until now
  trap - EXIT
  [[ $projector_ran == no ]] || start_service state_projector
  stop_brokers "${brokers[@]}"
  [[ -z $digests ]] || printf '%s\n' "$digests"
  exit "$status"
}

lock_stack
trap finish EXIT
trap 'exit 130' INT TERM HUP
# A stack that was started with other settings is told so, before anything of it is stopped.
start_kafka
if already_runs state_projector; then
  projector_ran=yes
  stop_part state_projector
fi
say "rebuilding the view ..."
digests=$(THUMB_KAFKA_BOOTSTRAP=$(service_bootstrap) "$THUMB_BIN_DIR/state_projector" rebuild)
