#!/usr/bin/env bash
# The whole test suite, from a clean clone: builds what is missing, then runs everything. Parts that need ../shared or the
# Python reference libraries say so and are skipped where these are absent.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$root/scripts/setup.sh"
cd "$root"
ATTUNE_MINILM="$(fetch_minilm)"
export ATTUNE_MINILM

say "include directions (scripts/check_layers)"
scripts/check_layers
say "data/ is what scripts/make_data.py writes"
python3 scripts/make_data.py --check
say "the data sets for GPT-type models"
python3 tests/python/text_sets_test.py
say "scripts/fetch_model.sh against a server on this machine"
python3 tests/python/fetch_model_test.py
say "the parts of the benchmark that time nothing"
python3 tests/python/bench_test.py
say "docs/config.md is what the program generates"
build/release/attune config docs | diff -u docs/config.md - || fail "docs/config.md is stale; run: build/release/attune config docs > docs/config.md"
say "unit and program tests"
build/release/tests/attune_plain_tests
build/release/tests/attune_torch_tests
say "the installed program"
installed="$(mktemp -d)"
trap 'rm -rf "$installed"' EXIT
cmake --install build/release --prefix "$installed" >/dev/null
"$installed/bin/attune" info "$ATTUNE_MINILM" >/dev/null
build/release/attune config schema | diff -q - "$installed/share/attune/config.schema.json"
[ -f "$installed/share/doc/attune/LICENSE" ] || fail "the licence was not installed"
reference="${ATTUNE_REFERENCE_PYTHON:-$cache/reference/bin/python}"
if [ -x "$reference" ]; then
  say "tests against the reference libraries"
  for check in tests/python/check_*.py; do
    "$reference" "$check" --attune build/release/attune --model "$ATTUNE_MINILM"
  done
else
  say "skipped: tests against the reference libraries (scripts/reference_env.sh makes them available)"
fi
