#!/usr/bin/env bash
# Builds attune with the CUDA LibTorch of this machine's Python and tries it on the GPU: `attune info`, the tests tagged [cuda], the
# other LibTorch tests, and a training beside the CPU. Ends with a table; the exit code is 0 when nothing failed.
#   scripts/gpu_check.sh [--quick] [OUT_DIR]     OUT_DIR keeps the logs (default: build/gpu/check); --quick leaves out the tests
#                                                that no GPU takes part in
# Takes the torch that `python3` (or $PYTHON) imports, or $LIBTORCH. Other libraries are those of the system, or of the folders
# in CMAKE_PREFIX_PATH; nothing is fetched. Builds into build/gpu; with ATTUNE_BUILT=FOLDER tries the programs there instead.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

quick=0
case "${1:-}" in
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
if [ "${1:-}" = --quick ]; then
  quick=1
  shift
fi
built="${ATTUNE_BUILT:-$root/build/gpu}"
out="${1:-$root/build/gpu/check}"
mkdir -p "$out"
torch="${LIBTORCH:-$("${PYTHON:-python3}" -c 'import importlib.util, os; print(os.path.dirname(importlib.util.find_spec("torch").origin))' 2>/dev/null)}" ||
  fail "${PYTHON:-python3} has no torch; set LIBTORCH to a LibTorch for CUDA, or PYTHON to a Python that imports one"
[ -f "$torch/lib/libtorch_cuda.so" ] || fail "the LibTorch in $torch is for the CPU; set LIBTORCH or PYTHON to one for CUDA"

failed=0
table=""
# step NAME COMMAND…: runs it with its output in OUT_DIR/NAME.log and notes how it ended, and the last line that says something.
step() {
  local name="$1" log="$out/$1.log" begin=$SECONDS verdict=ok line
  shift
  if ! "$@" >"$log" 2>&1; then
    verdict=FAILED
    failed=1
  fi
  line="$(grep -v '^[[:space:]]*$' "$log" | tail -n 1 | cut -c 1-90 || true)"
  table+="$(printf '%-10s %-7s %5ss  %s' "$name" "$verdict" $((SECONDS - begin)) "$line")"$'\n'
  say "$name: $verdict"
  [ "$verdict" = ok ] || tail -n 40 "$log" >&2
  [ "$verdict" = ok ]
}

build_all() {
  cmake -S "$root" -B "$built" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON -DATTUNE_CUDA=ON -DLIBTORCH="$torch" ||
    return 1
  cmake --build "$built" --target attune attune_torch_tests
}

# The same job on both devices: losses of all steps, and the seconds of each.
beside_cpu() {
  local work model="$root/tests/goldens/app/tiny_bert" device
  work="$(mktemp -d)"
  "${PYTHON:-python3}" - "$work" "$model" "$root" <<'PYTHON' || return 1
import json, sys
work, model, root = sys.argv[1:]
config = {"model": {"path": model}, "data": {"train": f"{root}/data/intents/train.jsonl", "max_length": 32},
          "training": {"max_steps": 40, "per_device_train_batch_size": 32, "learning_rate": 0.002, "eval_strategy": "no",
                       "save_strategy": "no", "load_best_model_at_end": False, "logging_steps": 1}, "seeds": [1]}
json.dump(config, open(f"{work}/run.json", "w"))
PYTHON
  for device in cpu cuda; do
    "$built/attune" train "$work/run.json" --quiet --set device=$device --set output_dir="$work/$device" || return 1
  done
  "${PYTHON:-python3}" - "$work" <<'PYTHON'
import json, sys
def losses(device):
    state = json.load(open(f"{sys.argv[1]}/{device}/trainer_state.json"))
    return [entry["loss"] for entry in state["log_history"] if "loss" in entry]
cpu, gpu = losses("cpu"), losses("cuda")
worst = max(abs(a - b) / abs(a) for a, b in zip(cpu, gpu))
print(f"{len(gpu)} steps, loss {gpu[0]:.4f} to {gpu[-1]:.4f}, furthest from the CPU's {worst:.1e}")
sys.exit(len(cpu) != len(gpu) or worst > 1e-3)
PYTHON
}

tests() { "$built/tests/attune_torch_tests" "$@"; }

if [ -n "${ATTUNE_BUILT:-}" ] || step build build_all; then
  step info "$built/attune" info || true
  step cuda tests "[cuda]" || true
  step beside beside_cpu || true
  [ $quick = 1 ] || step others env CUDA_VISIBLE_DEVICES= "$built/tests/attune_torch_tests" "~[cuda]" "~[slow]" || true
fi
printf '\n%s' "$table"
exit $failed
