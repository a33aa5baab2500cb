# What every script of the local stack shares: settings, messages, ports, and which process is whose.
# Sourced, never run. Leaves the shell in the repository's root.
# shellcheck shell=bash

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# Progress goes to stderr: stdout is for what a caller may want to read.
say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# Takes every default that the environment leaves unset or empty, and exports it. The binaries have
# the same variables, so an empty one is as good as none.
load_defaults() {
  local line name
  while IFS= read -r line; do
    [[ $line =~ ^(THUMB_[A-Z_]+)=(.*)$ ]] || continue
    name=${BASH_REMATCH[1]}
    [[ -n ${!name:-} ]] || printf -v "$name" '%s' "${BASH_REMATCH[2]}"
    # shellcheck disable=SC2163  # exports the variable that `name` names
    export "$name"
  done <deploy/defaults.env
}

check_port() {
  local name=$1
  if ! [[ ${!name} =~ ^[1-9][0-9]{0,4}$ ]] || ((${!name} > 65535)); then
    die "$name must be a port number from 1 to 65535, not \"${!name}\""
  fi
}

absolute() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s' "$ROOT/$1" ;;
  esac
}

load_defaults
check_port THUMB_HTTP_PORT
check_port THUMB_KAFKA_PORT
[[ -z $THUMB_ADMIN_PORT ]] || check_port THUMB_ADMIN_PORT
THUMB_DATA_DIR=$(absolute "${THUMB_DATA_DIR%/}")
THUMB_CACHE=$(absolute "${THUMB_CACHE%/}")
THUMB_BIN_DIR=$(absolute "${THUMB_BIN_DIR%/}")
export THUMB_DATA_DIR THUMB_CACHE THUMB_BIN_DIR
PIDS=$THUMB_DATA_DIR/pids
LOGS=$THUMB_DATA_DIR/logs
# shellcheck disable=SC2034  # for the scripts that source this
JARS=$THUMB_CACHE/kafka-jars

# Settles THUMB_KAFKA_NODES and BROKERS, the names of our own brokers as parts: one, or three that are
# a cluster. A data folder keeps the shape it began with, since another one would begin another log.
choose_brokers() {
  local begun=
  [[ ! -d $THUMB_DATA_DIR/kafka ]] || begun=1
  [[ ! -d $THUMB_DATA_DIR/kafka-1 ]] || begun=3
  THUMB_KAFKA_NODES=${THUMB_KAFKA_NODES:-${begun:-1}}
  [[ $THUMB_KAFKA_NODES == [13] ]] || die "THUMB_KAFKA_NODES must be 1 or 3, not \"$THUMB_KAFKA_NODES\""
  [[ ${begun:-$THUMB_KAFKA_NODES} == "$THUMB_KAFKA_NODES" ]] ||
    die "the log in $THUMB_DATA_DIR is that of $begun broker(s), not of $THUMB_KAFKA_NODES, and stays so:" \
      "choose another folder, THUMB_DATA_DIR=<folder> make ..."
  # shellcheck disable=SC2034  # for the scripts that source this
  if ((THUMB_KAFKA_NODES == 1)); then BROKERS=(kafka); else BROKERS=(kafka-1 kafka-2 kafka-3); fi
}

# Where the brokers of our own take clients: host:port,...
own_bootstrap() {
  local node list=
  for ((node = 0; node < THUMB_KAFKA_NODES; node++)); do
    list+=${list:+,}127.0.0.1:$((THUMB_KAFKA_PORT + node))
  done
  printf '%s' "$list"
}

# A listener's bind, as the services do it: also finds ports that are held without listening.
port_free() {
  /usr/bin/python3 -c '
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    s.bind(("127.0.0.1", int(sys.argv[1])))
    s.listen(1)
except OSError:
    sys.exit(1)' "$1"
}

# REQUIRES: the part is not running. Ends the script, naming port and variable, if it is taken. A part
# of several ports counts them from the variable's. Usage: require_port <variable> <user> [offset]
require_port() {
  local variable=$1 user=$2 port=$((${!1} + ${3:-0}))
  port_free "$port" ||
    die "port $port on 127.0.0.1 is taken by another program, and $user needs it." \
      "Free it, or choose another: $variable=<port> make ..."
}

# A free port below the ephemeral range, so that no outgoing connection takes it before we listen.
pick_port() {
  local port attempt
  for attempt in {1..100}; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if port_free "$port"; then
      printf '%s' "$port"
      return
    fi
  done
  die "found no free port in $attempt tries"
}

# The value that a variable had when the process started; empty if it can't be read.
env_of() {
  local pid=$1 name=$2 entry
  while IFS= read -r -d '' entry; do
    if [[ $entry == "$name="* ]]; then
      printf '%s' "${entry#*=}"
      return
    fi
  done 2>/dev/null <"/proc/$pid/environ" || true
}

# Is this process that part of *this* stack? A pid file survives a crash and its number may be some
# other program's by now, so the program and the data folder it was started with are compared.
is_part() {
  local name=$1 pid=$2 exe
  exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
  exe=${exe% (deleted)} # after a rebuild
  case $name in
    kafka*)
      [[ $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") == *" kafka.Kafka "* &&
        /proc/$pid/cwd -ef $THUMB_DATA_DIR/$name ]] || return 1
      ;;
    *) [[ ${exe##*/} == "$name" ]] || return 1 ;;
  esac
  [[ $(env_of "$pid" THUMB_DATA_DIR) == "$THUMB_DATA_DIR" ]]
}

# Prints the pid of a living part; fails if there is none.
pid_of() {
  local pid
  pid=$(cat "$PIDS/$1.pid" 2>/dev/null) || return 1
  [[ $pid =~ ^[0-9]+$ ]] && is_part "$1" "$pid" && printf '%s' "$pid"
}

show_log_tail() {
  say "--- the end of $LOGS/$1.log ---"
  tail -n "${2:-25}" "$LOGS/$1.log" >&2 || true
}

# An old log is kept once; a living one is never touched.
rotate_log() {
  local log=$LOGS/$1.log limit=$((32 * 1024 * 1024))
  if [[ -f $log ]] && (($(stat -c %s "$log") >= limit)); then mv -f "$log" "$log.1"; fi
}

# Starts a part in a session of its own, so that neither a closed terminal nor Ctrl-C reaches it. Its
# standard streams are the log and it gets no descriptor of ours (9 is the stack's lock): a pipe
# that lives on in a service would keep our caller waiting for its end.
# Usage: spawn <name> <command...>
spawn() {
  local name=$1
  shift
  mkdir -p "$PIDS" "$LOGS"
  rotate_log "$name"
  setsid "$@" </dev/null >>"$LOGS/$name.log" 2>&1 9>&- &
  printf '%s\n' "$!" >"$PIDS/$name.pid"
}

# Brokers of one cluster are asked together: the last of them, asked alone, would wait for a majority
# in vain. Usage: stop_brokers <name>...
stop_brokers() {
  local name pid
  for name in "$@"; do
    if pid=$(pid_of "$name"); then kill -TERM "$pid" 2>/dev/null || true; fi
  done
  for name in "$@"; do stop_part "$name" 30; done
}

# SIGTERM, a bounded wait, SIGKILL. Usage: stop_part <name> [seconds]
stop_part() {
  local name=$1 seconds=${2:-15} pid tick
  if pid=$(pid_of "$name"); then
    say "stopping $name ($pid)"
    kill -TERM "$pid" 2>/dev/null || true
    for ((tick = 0; tick < seconds * 10; tick++)); do
      is_part "$name" "$pid" || break
      sleep 0.1
    done
    if is_part "$name" "$pid"; then
      say "$name did not stop within $seconds s: killing it (see $LOGS/$name.log)"
      kill -KILL "$pid" 2>/dev/null || true
      while is_part "$name" "$pid"; do sleep 0.1; done
    fi
  fi
  rm -f "$PIDS/$name.pid"
}
