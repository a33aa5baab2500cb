#!/usr/bin/env bash
# Configures (once) and builds a preset. Usage: build.sh <preset> [target...]
source "$(dirname "$0")/common.sh"

preset=${1:?usage: build.sh <preset> [target...]}
shift
tree=build/$preset

# The heaviest of our files take more than 1 GB to compile: fewer at once on a small machine.
jobs_that_fit() {
  local cores gigabytes
  cores=$(nproc)
  gigabytes=$(awk '/^MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
  ((gigabytes >= 1)) || gigabytes=1
  echo $((cores < gigabytes ? cores : gigabytes))
}

if [[ CMakePresets.json -nt $tree/build.ninja ]]; then  # or there is none
  say "configuring $tree ..."
  launcher=()
  ! command -v ccache >/dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  cmake --preset "$preset" "${launcher[@]}" >&2
fi
targets=()
(($# == 0)) || targets=(--target "$@")
cmake --build "$tree" --parallel "$(jobs_that_fit)" "${targets[@]}" >&2
