#!/usr/bin/env bash
# Builds the libFuzzer targets with clang, ASan and UBSan (no LibTorch) and runs each for SECONDS (default 300):
#   scripts/fuzz.sh [SECONDS] [TARGET…]        for example scripts/fuzz.sh 60 safetensors_fuzz
# New inputs go to build/fuzz/corpus/<target>, findings to build/fuzz/findings/<target>; ends with 1 where there is a finding.
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

seconds=300
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then
  seconds="$1"
  shift
fi
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  for source in tests/fuzz/*_fuzz.cpp; do targets+=("$(basename "$source" .cpp)"); done
fi
command -v clang++ > /dev/null || fail "clang++ was not found; install it with: apt-get install clang"

say "building ${targets[*]}"
[ -f build/fuzz/build.ninja ] || cmake --preset fuzz > /dev/null
cmake --build --preset fuzz --target "${targets[@]}" >&2

run_target() { # TARGET; prints one line of totals
  local target="$1" out="build/fuzz/corpus/$1" findings="build/fuzz/findings/$1" log="build/fuzz/$1.log" rc=0
  mkdir -p "$out" "$findings"
  build/fuzz/tests/fuzz/"$target" -max_total_time="$seconds" -max_len=16384 -timeout=20 -print_final_stats=1 \
    -artifact_prefix="$findings/" "$out" "tests/fuzz/corpus/$target" > "$log" 2>&1 || rc=$?
  local executions coverage
  executions="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  coverage="$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | tail -1)"
  echo "$target: ${seconds} s, ${executions:-?} executions, ${coverage:-no coverage}, $(find "$findings" -type f | wc -l) finding(s), exit $rc"
  return $rc
}

failed=0
for target in "${targets[@]}"; do
  say "running $target for $seconds s"
  run_target "$target" || failed=1
done
[ $failed = 0 ] || fail "there are findings; see build/fuzz/*.log and build/fuzz/findings/"
