#!/usr/bin/env bash
# Makes a Python environment with the reference libraries (for goldens, tests against them, and benchmarks) and prints its
# python. Set ATTUNE_REFERENCE_PYTHON to use one of your own.
#   scripts/reference_env.sh overlap     the small one for the goldens of the text overlap metrics
#   scripts/reference_env.sh setfit      the one for few-example tuning: goldens (vectors) and benchmark
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [ "${1:-}" = overlap ]; then
  reference="$cache/reference-overlap"
  if [ ! -f "$reference/complete" ]; then
    say "making $reference"
    rm -rf "$reference"
    python3 -m venv "$reference" || fail "python3 -m venv failed; run: apt-get install python3-venv"
    "$reference/bin/pip" install --quiet rouge-score==0.1.2 nltk==3.10.4 sacrebleu==2.6.0 transformers==4.57.1
    touch "$reference/complete"
  fi
  echo "$reference/bin/python"
  exit
fi

install_torch() { # PIP
  "$1" install --quiet "torch==$torch_version+cpu" ||
    "$1" install --quiet --index-url https://download.pytorch.org/whl/cpu "torch==$torch_version+cpu"
}

if [ "${1:-}" = setfit ]; then
  reference="$cache/reference-setfit"
  if [ ! -f "$reference/complete" ]; then
    say "making $reference (about 1.5 GB)"
    rm -rf "$reference"
    python3 -m venv "$reference" || fail "python3 -m venv failed; run: apt-get install python3-venv"
    install_torch "$reference/bin/pip"
    "$reference/bin/pip" install --quiet "torch==$torch_version+cpu" setfit==1.2.0 transformers==5.23.0 sentence-transformers==6.2.0 accelerate datasets \
      scikit-learn numpy
    touch "$reference/complete"
  fi
  echo "$reference/bin/python"
  exit
fi

reference="$cache/reference"
if [ ! -f "$reference/complete" ]; then
  say "making $reference (about 1.5 GB)"
  rm -rf "$reference"
  python3 -m venv "$reference" || fail "python3 -m venv failed; run: apt-get install python3-venv"
  install_torch "$reference/bin/pip"
  "$reference/bin/pip" install --quiet "torch==$torch_version+cpu" transformers==5.23.0 peft==0.21.2 tokenizers==0.23.3 trl==1.16.0 \
    accelerate datasets scikit-learn scipy statsmodels seqeval numpy safetensors
  touch "$reference/complete"
fi
echo "$reference/bin/python"
