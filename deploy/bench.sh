#!/usr/bin/env bash
# make bench: installs and builds what the measurement needs, then measures. Usage: bench.sh [row...]
source "$(dirname "$0")/common.sh"

sections=(build run bench)
command -v npm >/dev/null || sections+=(npm)
deploy/install.sh "${sections[@]}"
kafka/broker/fetch.sh
deploy/build.sh release ingest processor state_projector topics bench_load bench_events
exec /usr/bin/python3 -B bench/run.py "$@"
