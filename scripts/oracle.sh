#!/usr/bin/env bash
# Runs the parity judge of ../shared over attune_probe.
#   scripts/oracle.sh [GROUP…]     e.g. scripts/oracle.sh encoders
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

shared="${ATTUNE_SHARED:-$root/../shared}"
[ -f "$shared/oracle/judge.py" ] || fail "$shared/oracle/judge.py is not there: the judge lies beside the project, not in it"
"$root/scripts/setup.sh"
python="${ATTUNE_JUDGE_PYTHON:-python3}"
if ! "$python" -c 'import numpy' 2>/dev/null; then
  python="$cache/judge/bin/python"
  [ -x "$python" ] || {
    say "the judge needs numpy: making $cache/judge"
    python3 -m venv "$cache/judge" || fail "python3 -m venv failed; run: apt-get install python3-venv"
    "$cache/judge/bin/pip" install --quiet numpy
  }
fi
ATTUNE_MINILM="$(fetch_minilm)"
export ATTUNE_MINILM
exec "$python" "$shared/oracle/judge.py" "$build/tests/attune_probe" "$@"
