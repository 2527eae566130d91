#!/usr/bin/env bash
# Interleaves attune and its peers on the same torch, data and token ids with 2 threads and prints ratios.
#   bench/run.sh [CASE…]      cases: start full_fp32 (default: all)
#   bench/run.sh accuracy     test accuracy of both sides after full training, three seeds (an hour or more)
#   bench/run.sh generate     greedy tokens a second beside Transformers' generate() (needs ../shared)
#   bench/run.sh language     causal language modelling, LoRA and instructions beside Trainer, PEFT and TRL (needs ../shared)
# Needs the Python reference libraries: scripts/reference_env.sh. Results: bench/results/*.json.
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"

python="${ATTUNE_REFERENCE_PYTHON:-$("$root/scripts/reference_env.sh")}"
torch="$("$python" -c 'import torch, os; print(os.path.dirname(torch.__file__))')"
LIBTORCH="$torch" "$root/scripts/setup.sh"
shared="${ATTUNE_SHARED:-$root/../shared}"
if [ "${1:-}" = generate ]; then exec "$python" "$root/bench/generate.py" "$build/attune" "$shared" "${@:2}"; fi
if [ "${1:-}" = language ]; then exec "$python" "$root/bench/language.py" "$build/attune" "$shared" "${@:2}"; fi
model="$(fetch_minilm)"
if [ "${1:-}" = accuracy ]; then exec "$python" "$root/bench/accuracy.py" "$build/attune" "$model" "$shared" "${@:2}"; fi
exec "$python" "$root/bench/run.py" --attune "$build/attune" --model "$model" --shared "$shared" "$@"
