#!/usr/bin/env bash
# make lint: the formatter and the two linters; prints what they find and changes nothing.
source "$(dirname "$0")/common.sh"

# The one kind of build in which every file has its place: failpoints are in those for tests alone.
commands=build/asan
deploy/build.sh asan help >/dev/null
failed=no
mapfile -t sources < <(git ls-files '*.cc')
mapfile -t headers < <(git ls-files '*.h')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
say "clang-format ..."
clang-format --dry-run --Werror "${sources[@]}" "${headers[@]}" || failed=yes
say "shellcheck ..."
shellcheck -x "${scripts[@]}" || failed=yes
say "clang-tidy (${#sources[@]} files) ..."
printf '%s\0' "${sources[@]}" |
  xargs -0 -P "$(nproc)" -n 1 clang-tidy --quiet -p "$commands" 2>/dev/null || failed=yes
[[ $failed == no ]] || die "lint found something; it stands above"
