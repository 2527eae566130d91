#!/usr/bin/env bash
# Prints, for every model type, what of a trained model and of its adapters opens in Transformers and PEFT, and how far logits
# are apart. Needs the reference libraries (scripts/reference_env.sh).
#   scripts/roundtrip.sh [TYPE…]     e.g. scripts/roundtrip.sh bert gpt2
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

reference="${ATTUNE_REFERENCE_PYTHON:-$cache/reference/bin/python}"
[ -x "$reference" ] || fail "the reference libraries are not there: run scripts/reference_env.sh"
"$root/scripts/setup.sh"
exec "$reference" "$root/tests/python/roundtrip.py" --attune "$build/attune" "$@"
