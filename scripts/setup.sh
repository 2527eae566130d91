#!/usr/bin/env bash
# Finds or installs what attune needs, then builds it into build/release. Running it again does only what is missing.
#   scripts/setup.sh [--cuda] [--no-build] [TARGET…]        TARGET: what to build, for example attune (default: everything)
# LibTorch is taken from, in this order: LIBTORCH or CMAKE_PREFIX_PATH; what build/release uses already; an importable Python
# torch; a private folder that this script fills with the CPU build. --cuda takes a CUDA build (else 2.7 GB are fetched) and
# links it (docs/platforms.md says what ran on a GPU).
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cuda=OFF
with_build=yes
targets=()
for argument in "$@"; do
  case "$argument" in
    --cuda) cuda=ON ;;
    --no-build) with_build=no ;;
    -*) fail "unknown argument '$argument'; usage: scripts/setup.sh [--cuda] [--no-build] [TARGET…]" ;;
    *) targets+=("$argument") ;;
  esac
done

required_packages=(g++ cmake python3 python3-pip curl libcli11-dev nlohmann-json3-dev libspdlog-dev catch2
  libpcre2-dev libutf8proc-dev zlib1g-dev libssl-dev)
faster_builds=(ninja-build ccache)

# A tool that is there in another form than Debian's package is as good.
is_installed() { # PACKAGE
  case "$1" in
    g++) command -v c++ ;;
    cmake | python3 | ccache | curl) command -v "$1" ;;
    ninja-build) command -v ninja ;;
    python3-pip) python3 -m pip --version ;;
    *) dpkg-query -W -f='${Status}' "$1" | grep -q 'install ok installed' ;;
  esac >/dev/null 2>&1
}

install_packages() {
  command -v dpkg-query >/dev/null || {
    say "this is not a Debian system: make sure that ${required_packages[*]} (or their counterparts) are installed"
    return
  }
  local package required=() wanted=() sudo=()
  for package in "${required_packages[@]}"; do is_installed "$package" || required+=("$package"); done
  for package in "${faster_builds[@]}"; do is_installed "$package" || wanted+=("$package"); done
  wanted=("${required[@]}" "${wanted[@]}")
  [ "${#wanted[@]}" -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      [ "${#required[@]}" -eq 0 ] && return
      fail "missing packages; run: sudo apt-get update && sudo apt-get install --no-install-recommends ${wanted[*]}"
    fi
    sudo=(sudo -n)
  fi
  say "installing ${wanted[*]}"
  "${sudo[@]}" apt-get update -qq >&2 || true
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${wanted[@]}" >/dev/null ||
    fail "could not install the packages; run: apt-get install --no-install-recommends ${wanted[*]}"
}

holds_torch() { compgen -G "$1/lib/libtorch_cpu.so" >/dev/null || compgen -G "$1/lib/*/libtorch_cpu.so" >/dev/null; }

# The folder in LIBTORCH, or the first of CMAKE_PREFIX_PATH that holds LibTorch.
given_torch() {
  local folder folders
  if [ -n "${LIBTORCH:-}" ]; then
    holds_torch "$LIBTORCH" || fail "LIBTORCH=$LIBTORCH: no lib/libtorch_cpu.so in it; expected the folder of torch or libtorch (/usr for Debian's)"
    (cd "$LIBTORCH" && pwd)
    return
  fi
  IFS=: read -ra folders <<<"${CMAKE_PREFIX_PATH:-}"
  for folder in "${folders[@]}"; do
    if holds_torch "$folder"; then
      echo "$folder"
      return
    fi
  done
}

cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt" 2>/dev/null || true; } # NAME; prints what build/release was configured with

configured_torch() {
  local folder
  folder="$(cached CMAKE_PREFIX_PATH)"
  if [ "$(cached ATTUNE_CUDA)" = "$cuda" ] && [ -n "$folder" ] && holds_torch "$folder"; then echo "$folder"; fi
}

# Prints the folder of an importable Python torch that can be linked, without importing it (that takes seconds): 2.7 or newer,
# for the GPU only with the CUDA libraries that pip puts beside it.
python_torch() {
  command -v python3 >/dev/null || return 0
  ATTUNE_CUDA=$cuda python3 - <<'PY' 2>/dev/null || true
import glob, importlib.util, os, re
spec = importlib.util.find_spec("torch")
if spec and spec.origin:
    folder = os.path.dirname(spec.origin)
    number = re.search(r"__version__ = '(\d+)\.(\d+)", open(os.path.join(folder, "version.py")).read())
    is_cuda = os.path.exists(os.path.join(folder, "lib", "libtorch_cuda.so"))
    has_runtime = bool(glob.glob(os.path.join(folder, "..", "nvidia", "*", "lib", "libcudart.so*")))
    fits = has_runtime if is_cuda else os.environ["ATTUNE_CUDA"] == "OFF"
    if number and (int(number[1]), int(number[2])) >= (2, 7) and fits:
        print(folder)
PY
}

torch_hint="set LIBTORCH to the folder of a torch >= 2.7, or use scripts/setup.sh --cuda, which PyPI alone can serve"

# Fills FOLDER/torch with the CPU build: a wheel if pip finds one, otherwise the archive of the project.
download_torch_cpu() { # FOLDER
  local wheel zip="$1/libtorch.zip"
  local wanted=(--python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 -d "$1" "torch==$torch_version+cpu")
  # The local label +cpu makes an index that has only the CUDA build answer "no match" instead of sending gigabytes.
  if pip_download "${wanted[@]}" 2>"$1/pip.log" ||
    pip_download --index-url https://download.pytorch.org/whl/cpu "${wanted[@]}" 2>>"$1/pip.log"; then
    wheel="$(ls "$1"/torch-*.whl)"
    (cd "$1" && cmake -E tar xf "$wheel" && rm "$wheel" pip.log)
    return
  fi
  cat "$1/pip.log" >&2
  command -v curl >/dev/null || fail "could not download LibTorch: pip found no wheel, curl is not installed; $torch_hint"
  curl -fsSL -o "$zip" "https://download.pytorch.org/libtorch/cpu/libtorch-shared-with-deps-$torch_version%2Bcpu.zip" ||
    fail "could not download LibTorch; $torch_hint"
  check_sha256 "$zip" "$torch_zip_sha256"
  (cd "$1" && cmake -E tar xf "$zip" && rm "$zip" pip.log && mv libtorch torch)
}

download_torch_cuda() { # FOLDER
  local free_kib
  free_kib="$(df -Pk "$1" | awk 'NR == 2 {print $4}')"
  [ "$free_kib" -gt $((12 * 1048576)) ] || fail "$1: 12 GiB of free space are needed, $((free_kib / 1048576)) GiB are free"
  # "===" refuses builds with a local label, such as +cpu. To a folder of its own, so that PEP 668 does not matter.
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$1" "torch===$torch_version" ||
    fail "could not install the CUDA build of torch $torch_version"
}

# Prints the private folder of LibTorch, filled by the first call.
private_torch() { # cpu|cuda SIZE
  local target="$cache/libtorch-$torch_version-$1" staging
  if ! holds_torch "$target/torch"; then
    mkdir -p "$cache"
    staging="$(mktemp -d "$cache/torch.XXXXXX")"
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$staging'" EXIT
    say "fetching LibTorch $torch_version, ${1^^} build ($2)"
    "download_torch_$1" "$staging"
    rm -rf "$target"
    mv "$staging" "$target"
  fi
  echo "$target/torch"
}

find_torch() {
  local folder
  folder="$(given_torch)"
  [ -n "$folder" ] || folder="$(configured_torch)"
  [ -n "$folder" ] || folder="$(python_torch)"
  if [ -z "$folder" ]; then
    if [ $cuda = ON ]; then folder="$(private_torch cuda "2.7 GB")"; else folder="$(private_torch cpu "190 MB")"; fi
  fi
  echo "$folder"
}

is_configured() { # TORCH
  [ -f "$build/build.ninja" ] || [ -f "$build/Makefile" ] || return 1
  [ "$(cached CMAKE_PREFIX_PATH)" = "$1" ] && [ "$(cached ATTUNE_CUDA)" = $cuda ]
}

configure() { # TORCH
  local log="$build/configure.log" generator=()
  command -v ninja >/dev/null || generator=(-G "Unix Makefiles")
  say "configuring build/release"
  mkdir -p "$build"
  # Fresh, since CMake would otherwise keep what it found in the folder of another LibTorch.
  (cd "$root" && cmake --fresh --preset release "${generator[@]}" -DCMAKE_PREFIX_PATH:UNINITIALIZED="$1" -DATTUNE_CUDA=$cuda) >"$log" 2>&1 || {
    cat "$log" >&2
    fail "CMake could not configure the build"
  }
}

install_packages
torch="$(find_torch)"
say "LibTorch: $torch"
[ $cuda = OFF ] || say "its CUDA libraries are linked; try them with scripts/gpu_check.sh"
is_configured "$torch" || configure "$torch"
if [ $with_build = yes ]; then
  say "building ${targets[*]:-everything} (a first build takes minutes)"
  cmake --build "$build" --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" ${targets[0]:+--target "${targets[@]}"} >"$build/build.log" 2>&1 || {
    tail -n 40 "$build/build.log" >&2
    fail "the build failed; the whole log is $build/build.log"
  }
fi
