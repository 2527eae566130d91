#!/usr/bin/env bash
# Finds or installs what attune needs, then builds it into build/release. Running it again does only what is missing.
#   scripts/setup.sh [--cuda] [--no-build]
# LibTorch is taken from, in this order: CMAKE_PREFIX_PATH or LIBTORCH; an importable Python torch; a private folder that
# this script fills with the CPU build (never the multi-gigabyte CUDA build, unless --cuda is given).
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cuda=no
with_build=yes
for argument in "$@"; do
  case "$argument" in
    --cuda) cuda=yes ;;
    --no-build) with_build=no ;;
    *) fail "unknown argument '$argument'; usage: scripts/setup.sh [--cuda] [--no-build]" ;;
  esac
done

debian_packages=(g++ cmake ninja-build ccache python3 python3-pip libcli11-dev nlohmann-json3-dev libspdlog-dev catch2
  libpcre2-dev libutf8proc-dev zlib1g-dev libssl-dev)

install_packages() {
  command -v dpkg-query >/dev/null || {
    say "this is not a Debian system: make sure that ${debian_packages[*]} (or their counterparts) are installed"
    return
  }
  local missing=() package
  for package in "${debian_packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  # A compiler, CMake or Python that is there in another form is as good.
  local needed=()
  for package in "${missing[@]}"; do
    case "$package" in
      g++ | cmake | python3) command -v "$package" >/dev/null || needed+=("$package") ;;
      ninja-build) command -v ninja >/dev/null || needed+=("$package") ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 || needed+=("$package") ;;
      *) needed+=("$package") ;;
    esac
  done
  [ "${#needed[@]}" -eq 0 ] && return
  local command="apt-get install -y --no-install-recommends ${needed[*]}"
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && sudo="sudo -n" ||
      fail "missing packages; run: sudo apt-get update && sudo $command"
  fi
  say "installing ${needed[*]}"
  $sudo apt-get update -qq >&2 || true
  DEBIAN_FRONTEND=noninteractive $sudo $command >/dev/null || fail "could not install the packages; run: $command"
}

# Prints the torch folder of an importable Python torch that the build accepts, without importing it (that takes seconds).
python_torch() {
  command -v python3 >/dev/null || return 0
  ATTUNE_CUDA=$cuda python3 - <<'PY' 2>/dev/null || true
import importlib.util, os, re
spec = importlib.util.find_spec("torch")
if spec and spec.origin:
    folder = os.path.dirname(spec.origin)
    version = open(os.path.join(folder, "version.py")).read()
    number = re.search(r"__version__ = '(\d+)\.(\d+)", version)
    is_cuda = os.path.exists(os.path.join(folder, "lib", "libtorch_cuda.so"))
    if number and (int(number[1]), int(number[2])) >= (2, 7) and is_cuda == (os.environ["ATTUNE_CUDA"] == "yes"):
        print(folder)
PY
}

fetch_torch_cpu() {
  local target="$cache/libtorch-$torch_version-cpu" staging wheel
  if [ ! -d "$target/torch/lib" ]; then
    mkdir -p "$cache"
    staging="$(mktemp -d "$cache/torch.XXXXXX")"
    say "fetching LibTorch $torch_version, CPU build (190 MB)"
    local platform=(--python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64)
    # The local label +cpu makes an index that has only the CUDA build answer "no match" instead of sending gigabytes.
    if pip_download "${platform[@]}" -d "$staging" "torch==$torch_version+cpu" 2>/dev/null ||
      pip_download "${platform[@]}" --index-url https://download.pytorch.org/whl/cpu -d "$staging" "torch==$torch_version+cpu" 2>/dev/null; then
      wheel="$(ls "$staging"/torch-*.whl)"
      (cd "$staging" && cmake -E tar xf "$wheel" && rm "$wheel")
    elif command -v curl >/dev/null; then
      curl -fsSL -o "$staging/libtorch.zip" \
        "https://download.pytorch.org/libtorch/cpu/libtorch-shared-with-deps-$torch_version%2Bcpu.zip" ||
        fail "could not download LibTorch; install PyTorch >= 2.7 yourself and set LIBTORCH=<folder of torch>"
      check_sha256 "$staging/libtorch.zip" "$torch_zip_sha256"
      (cd "$staging" && cmake -E tar xf libtorch.zip && rm libtorch.zip && mv libtorch torch)
    else
      fail "could not download LibTorch (pip found none, curl is not installed); set LIBTORCH=<folder of torch>"
    fi
    rm -rf "$target"
    mv "$staging" "$target"
  fi
  echo "$target/torch"
}

fetch_torch_cuda() {
  local target="$cache/libtorch-$torch_version-cuda" free_kib
  if [ ! -d "$target/torch/lib" ]; then
    mkdir -p "$target"
    free_kib="$(df -Pk "$target" | awk 'NR == 2 {print $4}')"
    say "fetching LibTorch $torch_version with CUDA (2.7 GB; $((free_kib / 1048576)) GiB free)"
    [ "$free_kib" -gt $((12 * 1048576)) ] || fail "$target: 12 GiB of free space are needed"
    python3 -m pip install --quiet --target "$target" "torch==$torch_version" || fail "could not install torch $torch_version"
  fi
  echo "$target/torch"
}

install_packages
torch="${LIBTORCH:-${CMAKE_PREFIX_PATH:-}}"
[ -n "$torch" ] || torch="$(python_torch)"
[ -n "$torch" ] || torch="$("fetch_torch_$([ $cuda = yes ] && echo cuda || echo cpu)")"
say "LibTorch: $torch"

if [ ! -f "$build/build.ninja" ] || ! grep -qF "CMAKE_PREFIX_PATH:UNINITIALIZED=$torch" "$build/CMakeCache.txt" 2>/dev/null; then
  say "configuring build/release"
  (cd "$root" && cmake --preset release -DCMAKE_PREFIX_PATH:UNINITIALIZED="$torch" -DATTUNE_CUDA=$([ $cuda = yes ] && echo ON || echo OFF) \
    >"$root/build-configure.log" 2>&1) || { cat "$root/build-configure.log" >&2; fail "CMake could not configure the build"; }
  mv "$root/build-configure.log" "$build/configure.log"
fi
if [ $with_build = yes ]; then
  say "building (a first build takes a few minutes)"
  cmake --build "$build" >"$build/build.log" 2>&1 || { tail -n 40 "$build/build.log" >&2; fail "the build failed; the whole log is $build/build.log"; }
fi
