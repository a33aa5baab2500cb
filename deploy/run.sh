#!/usr/bin/env bash
# make run: starts the stack, sends the bundled photo through, shows what came of it, then follows
# the logs until Ctrl-C and stops what it started. Parts that ran before it stay.
source "$(dirname "$0")/parts.sh"

PHOTO=examples/photo.jpg
PHOTO_SECONDS=60

finish() {
  local status=$?
  trap '' INT TERM HUP # a second Ctrl-C must not leave half a stack behind
  trap - EXIT
  local followers
  mapfile -t followers < <(jobs -p)
  kill "${followers[@]}" 2>/dev/null || true
  lock_stack
  stop_what_was_started
  exit "$status"
}

status_of() { curl -fsS --max-time 5 "$URL/v1/images/$1"; }

# Prints the id of the accepted photo.
send_photo() {
  curl -fsS --max-time 30 --data-binary "@$PHOTO" -H 'Content-Type: image/jpeg' "$URL/v1/images" |
    jq -er .id || die "the service did not accept $PHOTO (see $LOGS/ingest.log)"
}

wait_for_thumbnail() {
  local id=$1 deadline=$((SECONDS + PHOTO_SECONDS)) state=
  until [[ $state == completed ]]; do
    if [[ $state == failed ]] || ((SECONDS >= deadline)); then
      show_log_tail processor
      die "the photo $id is in state \"$state\", not \"completed\""
    fi
    sleep 0.05
    state=$(status_of "$id" | jq -r .state) || state=
  done
}

show_result() {
  local id=$1 copy=$THUMB_DATA_DIR/thumbnail.jpg
  curl -fsS --max-time 10 -o "$copy" "$URL/v1/images/$id/thumbnail"
  status_of "$id" | jq .
  printf '\nthumbnail  %s\n' "$(find "$THUMB_DATA_DIR/blobs" -path "*/$id/thumbnail-*" -print -quit)"
  printf 'a copy     %s\n' "$copy"
  printf 'service    %s\n' "$URL"
  printf 'Try        curl --data-binary @%s %s/v1/images\n' "$PHOTO" "$URL"
  printf '\nFollowing the logs; Ctrl-C stops what was started.\n'
}

# Does our caller still catch SIGINT (bit 2)? make does, until it gets one.
caller_catches_sigint() {
  local mask
  mask=$(awk '/^SigCgt:/ { print $2 }' "/proc/$PPID/status" 2>/dev/null) && [[ -n $mask ]] &&
    ((0x$mask & 2))
}

# A terminal sends Ctrl-C to all of its foreground processes. A SIGINT sent to make alone does not
# reach us: make goes back to the signal's default, then waits for us, for ever. And a make that was
# killed leaves us alone.
caller_left() {
  [[ -d /proc/$PPID ]] || return 0
  [[ $caller_caught == yes ]] && ! caller_catches_sigint
}

follow() {
  local name told=" "
  tail -n 0 -F "$LOGS"/*.log &
  until caller_left; do
    for name in "${SERVICES[@]}"; do
      if [[ $told != *" $name "* ]] && ! pid_of "$name" >/dev/null; then
        say "$name is not running any more (make up starts it again; log: $LOGS/$name.log)"
        told+="$name "
      fi
    done
    sleep 1 &
    wait $! || true # a trap ends a wait at once, a sleep it does not
  done
}

caller_caught=no
! caller_catches_sigint || caller_caught=yes
trap finish EXIT
trap 'exit 0' INT TERM HUP
lock_stack
start_stack
unlock_stack
photo_id=$(send_photo)
wait_for_thumbnail "$photo_id"
show_result "$photo_id"
follow
