# Starting and stopping the parts of a local stack: Kafka, the topics, the three services. Sourced by
# the verbs (up, run, down, status, replay, audit).
# shellcheck shell=bash

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
choose_brokers

SERVICES=(state_projector processor ingest) # in the order of starting; stopped in reverse
URL=http://127.0.0.1:$THUMB_HTTP_PORT
READY_SECONDS=60
STARTED=() # what this script started, in that order: what it stops again if it must

# One starter or stopper of a stack at a time; a second one waits.
lock_stack() {
  mkdir -p "$THUMB_DATA_DIR"
  exec 9>"$THUMB_DATA_DIR/stack.lock"
  flock -w 180 9 || die "another make up, down or run is busy with $THUMB_DATA_DIR"
}
unlock_stack() { exec 9>&-; }

# What the services get: an existing cluster, or our own three brokers. Empty: our one broker, which
# they find by its port.
service_bootstrap() {
  if [[ -z $THUMB_KAFKA_BOOTSTRAP ]] && ((THUMB_KAFKA_NODES > 1)); then
    own_bootstrap
  else
    printf '%s' "$THUMB_KAFKA_BOOTSTRAP"
  fi
}

# A part that lives on from an earlier start keeps the settings it was started with: say so instead
# of reporting a stack that nobody asked for.
require_same_settings() {
  local name=$1 pid=$2 variable earlier now
  local variables=(THUMB_KAFKA_PORT)
  [[ $name == kafka* ]] ||
    variables+=(THUMB_HTTP_PORT THUMB_KAFKA_BOOTSTRAP THUMB_TOPIC_PREFIX THUMB_ADMIN_PORT)
  for variable in "${variables[@]}"; do
    earlier=$(env_of "$pid" "$variable")
    now=${!variable:-}
    [[ $variable != THUMB_KAFKA_BOOTSTRAP ]] || now=$(service_bootstrap)
    [[ $variable != THUMB_ADMIN_PORT ]] || now=$(admin_port_of "$name")
    [[ $earlier == "$now" ]] ||
      die "$name ($pid) already runs on $THUMB_DATA_DIR with $variable=\"$earlier\", not" \
        "\"$now\": make down first, or choose another THUMB_DATA_DIR"
  done
}

# True if it runs, with our settings.
already_runs() {
  local pid
  pid=$(pid_of "$1") || return 1
  require_same_settings "$1" "$pid"
  say "$1 is running already ($pid)"
}

# All ports that will be needed are looked at before anything is started.
check_ports() {
  local index part
  if [[ -z $THUMB_KAFKA_BOOTSTRAP ]]; then
    for index in "${!BROKERS[@]}"; do
      part=${BROKERS[index]}
      pid_of "$part" >/dev/null || require_port THUMB_KAFKA_PORT "$part" "$index"
    done
  fi
  pid_of ingest >/dev/null || require_port THUMB_HTTP_PORT ingest
  [[ -n $THUMB_ADMIN_PORT ]] || return 0
  pid_of state_projector >/dev/null || require_port THUMB_ADMIN_PORT state_projector
  pid_of processor >/dev/null || require_port THUMB_ADMIN_PORT processor 1
}

# Of the two that have one: the next for the processor. Empty if there is to be none.
admin_port_of() {
  case ${THUMB_ADMIN_PORT:+$1} in
    state_projector) printf '%s' "$THUMB_ADMIN_PORT" ;;
    processor) printf '%s' "$((THUMB_ADMIN_PORT + 1))" ;;
  esac
}

# Each of our own brokers that does not run.
start_kafka() {
  [[ -z $THUMB_KAFKA_BOOTSTRAP ]] || return 0
  local part missing=()
  for part in "${BROKERS[@]}"; do already_runs "$part" || missing+=("$part"); done
  ((${#missing[@]} > 0)) || return 0
  STARTED+=("${missing[@]}")
  kafka/broker/broker.sh start
}

# What differs on the cluster from kafka/topics.json is shown, and is no reason not to start. On three
# brokers of our own each partition has three copies, unless told otherwise.
ensure_topics() {
  local replicas=()
  if [[ -z $THUMB_KAFKA_BOOTSTRAP$(printenv THUMB_REPLICATION_FACTOR) ]] && ((THUMB_KAFKA_NODES > 1)); then
    replicas=(--replication-factor "$THUMB_KAFKA_NODES")
  fi
  THUMB_KAFKA_BOOTSTRAP=$(service_bootstrap) \
    "$THUMB_BIN_DIR/topics" ensure "${replicas[@]}" >"$LOGS/topics.log" 2>&1 || {
    show_log_tail topics
    die "the topics could not be provisioned"
  }
  grep -F ': differs: ' "$LOGS/topics.log" >&2 || true
}

start_service() {
  already_runs "$1" && return
  say "starting $1"
  STARTED+=("$1")
  THUMB_KAFKA_BOOTSTRAP=$(service_bootstrap) THUMB_ADMIN_PORT=$(admin_port_of "$1") \
    spawn "$1" "$THUMB_BIN_DIR/$1"
}

require_alive() {
  local name
  for name in "$@"; do
    pid_of "$name" >/dev/null && continue
    show_log_tail "$name"
    die "$name ended while it started"
  done
}

# A freshly spawned process is not yet the program it is about to become.
wait_until_exec() {
  local pid tick
  pid=$(cat "$PIDS/$1.pid")
  for ((tick = 0; tick < 50; tick++)); do
    is_part "$1" "$pid" && return
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.02
  done
}

wait_until_ready() {
  local deadline=$((SECONDS + READY_SECONDS)) name
  for name in "${SERVICES[@]}"; do wait_until_exec "$name"; done
  until curl -fsS --max-time 2 -o /dev/null "$URL/readyz" 2>/dev/null; do
    require_alive "${SERVICES[@]}"
    if ((SECONDS >= deadline)); then
      show_log_tail ingest
      show_log_tail state_projector
      die "the service was not ready within $READY_SECONDS s"
    fi
    sleep 0.1
  done
  require_alive "${SERVICES[@]}"
}

start_stack() {
  local name
  check_ports
  mkdir -p "$PIDS" "$LOGS"
  start_kafka
  ensure_topics
  for name in "${SERVICES[@]}"; do start_service "$name"; done
  wait_until_ready
}

# Ends the given parts, last started first; brokers together.
stop_parts() {
  local index brokers=()
  for ((index = $#; index > 0; index--)); do
    if [[ ${!index} == kafka* ]]; then brokers+=("${!index}"); else stop_part "${!index}"; fi
  done
  stop_brokers "${brokers[@]}"
}

# For a trap: what this script started does not outlive its failure.
stop_what_was_started() {
  ((${#STARTED[@]} == 0)) || stop_parts "${STARTED[@]}"
  STARTED=()
}
