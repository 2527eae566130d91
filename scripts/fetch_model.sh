#!/usr/bin/env bash
# Gets the folder of a public model from the Hugging Face Hub with curl: the configuration, the tokenizer and the safetensors
# weights, nothing else (no pickle, no weights of other frameworks), each file checked against the Hub's checksum.
#   scripts/fetch_model.sh NAME [--revision BRANCH|TAG|COMMIT] [--output DIR]      NAME: owner/model, or a bare name such as gpt2
# The folder (default: models/<model>) appears when it is complete. Until then everything lies in DIR.part, from where the same
# command goes on after an interruption. HF_TOKEN: a token for gated models. HF_ENDPOINT: a mirror (default https://huggingface.co).
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage="usage: scripts/fetch_model.sh NAME [--revision BRANCH|TAG|COMMIT] [--output DIR]"
attempts=4
name="" revision=main output=""
while [ $# -gt 0 ]; do
  case "$1" in
    --revision | --output)
      [ -n "${2:-}" ] || fail "$1 needs a value; $usage"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    -*) fail "unknown argument '$1'; $usage" ;;
    *)
      [ -z "$name" ] || fail "two names, '$name' and '$1'; $usage"
      name="$1"
      ;;
  esac
  shift
done
[ -n "$name" ] || fail "no model is named; $usage"
[[ "$name" =~ ^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)?$ ]] || fail "'$name' is no name of a model on the Hub; expected owner/model, such as HuggingFaceTB/SmolLM2-135M"
[[ "$revision" =~ ^[A-Za-z0-9_][A-Za-z0-9._/-]*$ && "$revision" != *..* ]] || fail "--revision '$revision': expected the name of a branch or tag, or a commit"
command -v curl >/dev/null || fail "curl is not installed; run: apt-get install curl"
command -v python3 >/dev/null || fail "python3 is not installed; run: apt-get install python3"

endpoint="${HF_ENDPOINT:-https://huggingface.co}"
endpoint="${endpoint%/}"
target="${output:-$root/models/${name##*/}}"
target="${target%/}"
staging="$target.part"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# The token goes through a file, so that no list of processes shows it.
: >"$scratch/curl.conf"
if [ -n "${HF_TOKEN:-}" ]; then
  [[ "$HF_TOKEN" =~ ^[A-Za-z0-9._-]+$ ]] || fail "HF_TOKEN holds characters that no token has (a blank or a quotation mark?)"
  (umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$HF_TOKEN" >"$scratch/curl.conf")
fi

# The value of a header in the last answer.
header() { # NAME
  tr -d '\r' <"$scratch/headers" | awk -v wanted="$1:" 'tolower($1) == tolower(wanted) {sub(/^[^:]*: */, ""); value = $0} END {print value}'
}

# curl with what every request needs; sets `status` (the HTTP status, 000 without an answer) and `curl_exit`.
status=000 curl_exit=0
request() { # CURL ARGUMENTS…
  : >"$scratch/headers"
  curl_exit=0
  status="$(curl --config "$scratch/curl.conf" --fail --silent --show-error --location --proto '=http,https' --globoff \
    --connect-timeout 20 --speed-limit 1 --speed-time 60 --dump-header "$scratch/headers" --write-out '%{http_code}' \
    "$@" 2>"$scratch/curl.log")" || curl_exit=$?
}

# Ends the script with what the last answer means.
refuse() { # WHAT
  local code page="$endpoint/$name"
  code="$(header X-Error-Code)"
  case "$status:$code" in
    401:GatedRepo) fail "$name is gated: accept its conditions at $page, then set HF_TOKEN to a token of that account" ;;
    403:GatedRepo) fail "$name is gated and this account has no access yet: ask for it at $page with the account of HF_TOKEN" ;;
    401:*)
      [ -z "${HF_TOKEN:-}" ] || fail "$name: the Hub refused HF_TOKEN (401), or there is no such model; check both"
      fail "$name: no such public model (401). Check the spelling; for a private or gated one set HF_TOKEN"
      ;;
    403:*) fail "$1: access denied (403 $(header X-Error-Message)); does HF_TOKEN have the right to read it?" ;;
    404:RevisionNotFound) fail "$name has no revision '$revision'; the branches and tags are listed at $page/tree/main" ;;
    404:*) fail "$1: not found (404) at $endpoint" ;;
    429:*) fail "$1: the Hub asks to wait (429); try again in a few minutes" ;;
    000:*) fail "$1: $endpoint cannot be reached ($(tail -n 1 "$scratch/curl.log")); run the same command again to go on" ;;
  esac
  [ "$curl_exit" -ne 23 ] || fail "$1: could not be written to $staging; is the disk full? Run the same command again to go on"
  fail "$1: HTTP status $status ($(tail -n 1 "$scratch/curl.log")); run the same command again to go on"
}

# Whether it is worth asking again: the connection broke, or the server is busy.
is_passing() {
  case "$curl_exit" in 18 | 28 | 35 | 52 | 55 | 56 | 92) return 0 ;; esac
  case "$status" in 408 | 429 | 500 | 502 | 503 | 504) return 0 ;; esac
  return 1
}

# An answer of the API as JSON.
get_json() { # WHAT URL FILE
  local try
  for ((try = 1; ; ++try)); do
    request --output "$3" "$2"
    [ "$curl_exit" -ne 0 ] || return 0
    { [ $try -lt $attempts ] && is_passing; } || refuse "$1"
    sleep $((1 << (try - 1)))
  done
}

# The files of the commit, a JSON list a page.
list_files() { # COMMIT
  local query="recursive=true" page=0
  while [ -n "$query" ]; do
    page=$((page + 1))
    get_json "the list of files of $name" "$endpoint/api/models/$name/tree/$1?$query" "$scratch/tree-$page.json"
    # Of the next page's address only the query, so that the token stays with the endpoint.
    query="$(header Link | sed -n 's/.*<[^>?]*?\([^>]*\)>; *rel="next".*/\1/p')"
  done
}

# SIZE ALGORITHM CHECKSUM PATH of every file that attune and Transformers need; with an index of shards only those it names.
# Prints on standard error and exits 1 when there are no weights that can be used.
choose_files() { # [INDEX]
  python3 - "$scratch" "$name" "$@" <<'PY'
import json, pathlib, re, sys

scratch, name, index = pathlib.Path(sys.argv[1]), sys.argv[2], (sys.argv + [None])[3]
WANTED = re.compile(r"(adapter_)?config\.json|generation_config\.json|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|"
                    r"added_tokens\.json|vocab\.(json|txt)|merges\.txt|(tokenizer|spiece|sentencepiece\.bpe)\.model|"
                    r"chat_template\.(jinja|json)|additional_chat_templates/[\w-][\w.-]*\.jinja")
PICKLE = re.compile(r".*\.(bin|pt|pth|ckpt|pkl|pickle)")


def stop(message):
    sys.exit(f"error: {name}: {message}")


try:
    pages = [json.loads(page.read_text()) for page in sorted(scratch.glob("tree-*.json"))]
    files = {entry["path"]: entry for page in pages for entry in page if entry["type"] == "file"}
except (ValueError, KeyError, TypeError) as error:
    stop(f"the list of files is not what the Hub's API answers ({error}); check HF_ENDPOINT")
chosen = [path for path in files if WANTED.fullmatch(path)]
if not {"config.json", "adapter_config.json"} & set(chosen):
    stop("there is no config.json; this is no model for Transformers")
if index:
    try:
        shards = set(json.loads(pathlib.Path(index).read_text())["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        stop(f"model.safetensors.index.json has no weight_map that could be read ({error})")
    absent = sorted(shard for shard in shards if shard not in files or not re.fullmatch(r"[\w.-]+\.safetensors", shard))
    if absent:
        stop(f"model.safetensors.index.json names {absent[0]}, which is not there")
    chosen += sorted(shards)
else:
    weights = [path for path in ("model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors") if path in files]
    pickle = sorted(path for path in files if "/" not in path and PICKLE.fullmatch(path))
    if not weights and pickle:
        stop(f"there are only pickle weights ({pickle[0]}), which can run code when they are opened and are not fetched. Look for a "
             "revision with safetensors (--revision refs/pr/…), or get them yourself and use scripts/convert_checkpoint.py")
    if not weights:
        stop("there are no safetensors weights")
    chosen += weights[:1] if weights[0] != "adapter_model.safetensors" else weights
for path in sorted(chosen):
    entry = files[path]
    kind, checksum = ("sha256", entry["lfs"]["oid"]) if entry.get("lfs") else ("git", entry["oid"])
    print(entry["size"], kind, checksum.removeprefix("sha256:"), path)
PY
}

# The checksum of a file as the Hub lists it: SHA-256 of a large file, git's name of a small one.
checksum_of() { # ALGORITHM FILE
  if [ "$1" = sha256 ]; then
    sha256sum <"$2"
  else
    { printf 'blob %d\0' "$(stat -c %s "$2")" && cat "$2"; } | sha1sum
  fi | cut -d' ' -f1
}

is_whole() { # FILE SIZE ALGORITHM CHECKSUM
  [ -f "$1" ] && [ "$(stat -c %s "$1")" = "$2" ] && [ "$(checksum_of "$3" "$1")" = "$4" ]
}

size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }

# Appends to PART until SIZE is reached, going on where an earlier attempt broke off.
download() { # URL SIZE PART LABEL
  local try=1 before
  [ "$(size_of "$3")" -le "$2" ] || rm "$3"
  touch "$3"
  while before="$(size_of "$3")" && [ "$before" -lt "$2" ]; do
    if [ "$before" -gt 0 ]; then say "$4: going on at $before of $2 bytes"; else say "$4 ($2 bytes)"; fi
    request --continue-at - --output "$3" "$1"
    # What lies there is all that the server has; the checksum tells.
    [ "$status" != 416 ] || return 0
    # 33: the server cannot send a part of a file.
    if [ "$curl_exit" -eq 33 ]; then
      : >"$3"
    elif [ "$curl_exit" -ne 0 ]; then
      is_passing || refuse "$4"
    fi
    # An attempt that got more of the file does not count.
    [ "$(size_of "$3")" -le "$before" ] || continue
    [ $try -lt $attempts ] || refuse "$4"
    sleep $((1 << (try - 1)))
    try=$((try + 1))
  done
}

# Gets one file into the staging folder and checks it.
fetch_file() { # COMMIT SIZE ALGORITHM CHECKSUM PATH
  local file="$staging/$5" part="$staging/$5.incomplete" found
  if is_whole "$file" "$2" "$3" "$4"; then return; fi
  mkdir -p "$(dirname "$file")"
  download "$endpoint/$name/resolve/$1/$5" "$2" "$part" "$5"
  found="$(checksum_of "$3" "$part")"
  if [ "$(size_of "$part")" != "$2" ] || [ "$found" != "$4" ]; then
    found="$(size_of "$part") bytes with the checksum $found"
    rm "$part"
    fail "$5: found $found, expected $2 bytes with $4; the damaged file was deleted, run the same command again"
  fi
  mv "$part" "$file"
}

check_space() { # reads the list of files
  local needed free folder
  needed="$(awk '{sum += $1} END {printf "%.0f", sum / 1024 + 1}' "$1")"
  needed=$((needed - $(du -sk "$staging" | cut -f1)))
  folder="$(dirname "$staging")"
  free="$(df -Pk "$folder" | awk 'NR == 2 {print $4}')"
  [ "$needed" -le "$free" ] || fail "$folder: the files still to come need $((needed / 1024 + 1)) MiB, $((free / 1024)) MiB are free"
}

# An older folder of that name must be this very commit; anything else there is left alone.
require_same() { # LIST
  local size kind checksum path
  while read -r size kind checksum path; do
    is_whole "$target/$path" "$size" "$kind" "$checksum" ||
      fail "$target exists, and its $path is not that of $name at '$revision'; delete the folder or choose another with --output"
  done <"$1"
}

# The index of a sharded model first, then the list with the shards that it names.
choose_all() { # COMMIT LIST
  local size kind checksum path folder index=model.safetensors.index.json
  choose_files >"$2" || exit 1
  read -r size kind checksum path < <(grep " $index\$" "$2") || return 0
  if [ -e "$target" ]; then
    require_same <(echo "$size $kind $checksum $path")
    folder="$target"
  else
    prepare_staging "$1"
    fetch_file "$1" "$size" "$kind" "$checksum" "$path"
    folder="$staging"
  fi
  choose_files "$folder/$index" >"$2" || exit 1
  echo "$size $kind $checksum $path" >>"$2"
}

# What lies there of another model or commit is not gone on with.
prepare_staging() { # COMMIT
  if [ "$(cat "$staging/.source" 2>/dev/null)" != "$name $1" ]; then
    rm -rf "$staging"
    mkdir -p "$staging" || fail "$staging could not be created"
    echo "$name $1" >"$staging/.source"
  fi
}

get_json "$name" "$endpoint/api/models/$name/revision/${revision//\//%2F}" "$scratch/model.json"
commit="$(python3 -c 'import json, re, sys; print(re.fullmatch("[0-9a-f]{40}", json.load(open(sys.argv[1]))["sha"])[0])' "$scratch/model.json" 2>/dev/null)" ||
  fail "$name: the answer of $endpoint names no commit; is HF_ENDPOINT a Hub?"
list_files "$commit"
choose_all "$commit" "$scratch/list"
if [ -e "$target" ]; then
  require_same "$scratch/list"
  say "$target is complete already"
  echo "$target"
  exit
fi
prepare_staging "$commit"
check_space "$scratch/list"
say "fetching $name at $commit ($(wc -l <"$scratch/list") files) into $target"
while read -r size kind checksum path; do
  fetch_file "$commit" "$size" "$kind" "$checksum" "$path"
done <"$scratch/list"
rm "$staging/.source"
mv -T "$staging" "$target"
say "complete; every checksum is right. Look at it with: attune info $target"
echo "$target"
