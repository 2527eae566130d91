#!/usr/bin/env bash
# Builds everything with ASan and UBSan (preset asan) and runs both test programs:
#   scripts/sanitize.sh [--plain] [CATCH2 ARGUMENTS…]     --plain: without LibTorch; arguments go to the test programs
# LibTorch itself is not instrumented; tests/sanitizers/*.supp say what is passed over for that reason.
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

programs=(attune_plain_tests attune_torch_tests)
folder=build/asan
options=()
if [ "${1:-}" = --plain ]; then
  shift
  programs=(attune_plain_tests)
  folder=build/asan-plain
  options=(-DATTUNE_PLAIN_ONLY=ON)
fi
if [ ! -f "$folder/build.ninja" ]; then
  say "configuring $folder"
  cmake --preset asan -B "$folder" "${options[@]}" > /dev/null
fi
say "building ${programs[*]} with ASan and UBSan"
cmake --build "$folder" --target "${programs[@]}" >&2

supp="$root/tests/sanitizers"
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:suppressions=$supp/asan.supp${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="print_suppressions=0:suppressions=$supp/lsan.supp${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:suppressions=$supp/ubsan.supp${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

failed=0
for program in "${programs[@]}"; do
  say "running $program"
  "$folder/tests/$program" "$@" || failed=1
done
[ $failed = 0 ] || fail "the sanitizers or the tests found something; see above"
