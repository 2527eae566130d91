#!/usr/bin/env bash
# Interleaves attune and its peers on the same torch, data and token ids with 2 threads, and writes bench/RESULTS.md.
#   bench/run.sh [CASE…] [--rounds N] [--quick] [--full]    cases of the suite by name or beginning (default: all, some hours)
#   bench/run.sh --list       names them
#   bench/run.sh --report     only renews the tables of bench/RESULTS.md from bench/results
#   bench/run.sh accuracy     test accuracy of both sides after full training, three seeds (an hour or more)
#   bench/run.sh generate     greedy tokens a second beside Transformers' generate()
#   bench/run.sh language     causal language modelling, LoRA and instructions beside Trainer, PEFT and TRL, small base
#   bench/run.sh prompting    labels behind prompts beside a loop over Transformers
#   bench/run.sh setfit       contrastive few-example tuning beside the SetFit library (some hours)
#   bench/run.sh tokenizer    beside the tokenizers library
# Takes the program in ATTUNE, else build/release/attune, which is built where it is not there. All but --list and --report need the
# Python reference libraries (scripts/reference_env.sh) and the shared material (ATTUNE_SHARED, or ../shared). Results: bench/results/*.json.
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"

export PYTHONPATH="$root/bench"
for argument in "$@"; do
  case "$argument" in --list | --report) exec python3 "$root/bench/run.py" "$argument" ;; esac
done

python="${ATTUNE_REFERENCE_PYTHON:-$("$root/scripts/reference_env.sh")}"
setfit_python() { echo "${ATTUNE_SETFIT_PYTHON:-$("$root/scripts/reference_env.sh" setfit)}"; }
shared="${ATTUNE_SHARED:-$root/../shared}"

torch_folder() { "$python" -c 'import importlib.util, os; print(os.path.dirname(importlib.util.find_spec("torch").origin))'; }

# Builds with the very libraries of the peers' torch.
attune_program() {
  if [ -n "${ATTUNE:-}" ]; then
    [ -x "$ATTUNE" ] || fail "ATTUNE=$ATTUNE is no program"
  elif [ ! -x "$build/attune" ]; then
    LIBTORCH="$(torch_folder)" "$root/scripts/setup.sh" attune >&2
  fi
  echo "${ATTUNE:-$build/attune}"
}

tokenizer_program() {
  if [ ! -x "$build/bench_tokenizer" ]; then
    [ -f "$build/CMakeCache.txt" ] || LIBTORCH="$(torch_folder)" "$root/scripts/setup.sh" --no-build >&2
    cmake -DATTUNE_BUILD_BENCH=ON "$build" >/dev/null && cmake --build "$build" --target bench_tokenizer >&2
  fi
  echo "$build/bench_tokenizer"
}

[ -d "$shared/data" ] || fail "$shared: no shared material there; set ATTUNE_SHARED to the folder with data, models and tokenizers"
case "${1:-}" in
  generate) exec "$python" "$root/bench/generate.py" "$(attune_program)" "$shared" "${@:2}" ;;
  language) exec "$python" "$root/bench/language.py" "$(attune_program)" "$shared" "${@:2}" ;;
  prompting) exec "$python" "$root/bench/prompting.py" "$(attune_program)" "$shared" "${@:2}" ;;
  setfit) exec "$(setfit_python)" "$root/bench/few_examples.py" "$(attune_program)" "$(fetch_minilm)" "$shared" "${@:2}" ;;
  tokenizer) exec "$python" "$root/bench/tokenizer.py" --program "$(tokenizer_program)" --shared "$shared" "${@:2}" ;;
  accuracy) exec "$python" "$root/bench/accuracy.py" "$(attune_program)" "$(fetch_minilm)" "$shared" "${@:2}" ;;
esac
exec "$python" "$root/bench/run.py" --attune "$(attune_program)" --model "$(fetch_minilm)" --shared "$shared" "$@"
