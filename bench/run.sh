#!/usr/bin/env bash
# Interleaves attune and its peers on the same torch, data and token ids with 2 threads and prints ratios.
#   bench/run.sh [CASE…]      cases: start full_fp32 (default: all)
# Needs the Python reference libraries: scripts/reference_env.sh. Results: bench/results/*.json.
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"

python="${ATTUNE_REFERENCE_PYTHON:-$("$root/scripts/reference_env.sh")}"
torch="$("$python" -c 'import torch, os; print(os.path.dirname(torch.__file__))')"
LIBTORCH="$torch" "$root/scripts/setup.sh"
model="$(fetch_minilm)"
exec "$python" "$root/bench/run.py" --attune "$build/attune" --model "$model" --shared "${ATTUNE_SHARED:-$root/../shared}" "$@"
