#!/usr/bin/env bash
# From nothing to a fine-tuned model: builds attune, gets a real encoder, fine-tunes it on data/intents with
# configs/intents.json, prints the result table and predicts three sentences. A second run rebuilds nothing.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$root/scripts/setup.sh" "$@" attune
model="$(fetch_minilm)"
cd "$root"
mkdir -p models runs
[ -e models/all-MiniLM-L6-v2 ] || ln -s "$model" models/all-MiniLM-L6-v2

say "fine-tuning on data/intents (configs/intents.json)"
build/release/attune train configs/intents.json --set overwrite_output_dir=true
say "three new sentences through the new model"
printf '%s\n' "my card got swallowed by the cash machine" "how long until the refund reaches my account?" \
  "please change the address you have for me" | build/release/attune predict runs/intents
