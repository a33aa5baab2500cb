#!/usr/bin/env bash
# The local stack in the background. Usage: stack.sh up | down | status | logs
source "$(dirname "$0")/parts.sh"

up() {
  lock_stack
  trap stop_what_was_started EXIT
  start_stack
  trap - EXIT
  say "ready: $URL   (make logs, make status, make down)"
}

down() {
  lock_stack
  stop_parts "${BROKERS[@]}" "${SERVICES[@]}"
}

status() {
  local name pid
  for name in "${BROKERS[@]}" "${SERVICES[@]}"; do
    if [[ $name == kafka* && -n $THUMB_KAFKA_BOOTSTRAP ]]; then
      printf '%-16s elsewhere: %s\n' "$name" "$THUMB_KAFKA_BOOTSTRAP"
    elif pid=$(pid_of "$name"); then
      printf '%-16s running, pid %-8s log %s\n' "$name" "$pid" "$LOGS/$name.log"
    else
      printf '%-16s stopped\n' "$name"
    fi
  done
  if curl -fsS --max-time 2 -o /dev/null "$URL/readyz" 2>/dev/null; then
    printf '%-16s ready\n' "$URL"
  else
    printf '%-16s not ready\n' "$URL"
  fi
}

logs() {
  local files=("$LOGS"/*.log)
  [[ -e ${files[0]} ]] || die "there are no logs in $LOGS yet (make up)"
  exec tail -n 40 -F "${files[@]}"
}

case ${1:-} in
  up | down | status | logs) "$1" ;;
  *) die "usage: stack.sh up | down | status | logs" ;;
esac
