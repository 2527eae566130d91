#!/usr/bin/env python3
"""scripts/fetch_model.sh against a server on this machine that answers as the Hub's API does: what is fetched, going on after a
broken connection, checksums, gated and missing models. Standard library only; run by scripts/test.sh."""
import hashlib
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "5fb9bc0b1c3c4e2a8f7d6e5c4b3a29181706f5e4"
WEIGHTS = hashlib.sha256(b"weights").digest() * 4096  # 128 KiB


def git_name(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(http.server.BaseHTTPRequestHandler):
    """GET /api/models/NAME/revision/R, /api/models/NAME/tree/COMMIT, /NAME/resolve/COMMIT/FILE (through a redirect for large files)."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        for pattern, answer in ((r"/api/models/([\w./-]+)/revision/([\w%.-]+)", self.revision), (r"/api/models/([\w./-]+)/tree/(\w+)\?(.*)", self.tree),
                                (r"/(\w+/[\w.-]+)/resolve/(\w+)/(.*)", self.resolve), (r"/cdn/(\w+/[\w.-]+)/(.*)", self.file)):
            match = re.fullmatch(pattern, self.path)
            if match:
                return answer(*match.groups())
        return self.answer(404, b"no such address")

    def answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def revision(self, name, revision):
        wanted = f"Bearer {self.server.token}" if self.server.token else None
        if wanted and self.headers.get("Authorization") != wanted:
            return self.answer(401, X_Error_Code="GatedRepo", X_Error_Message="restricted")
        if self.server.forbidden:
            return self.answer(403, X_Error_Code="GatedRepo")
        if name not in self.server.models:
            return self.answer(401, X_Error_Message="Invalid username or password.")
        if revision not in ("main", "refs%2Fpr%2F1", COMMIT):
            return self.answer(404, X_Error_Code="RevisionNotFound")
        return self.answer(200, json.dumps({"id": name, "sha": COMMIT}).encode())

    def tree(self, name, commit, query):
        entries = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": "onnx"}]
        for path, content in self.server.models[name].items():
            entry = {"type": "file", "oid": git_name(content), "size": self.server.claimed.get(path, len(content)), "path": path}
            if path.endswith((".safetensors", ".bin")):
                digest = self.server.checksums.get(path, hashlib.sha256(content).hexdigest())
                entry.update(oid="1" * 40, lfs={"oid": digest, "size": entry["size"], "pointerSize": 134})
            entries.append(entry)
        half = len(entries) // 2
        if "cursor=2" in query:
            return self.answer(200, json.dumps(entries[half:]).encode())
        link = f'<https://elsewhere.invalid/api/models/{name}/tree/{commit}?recursive=true&cursor=2>; rel="next"'
        return self.answer(200, json.dumps(entries[:half]).encode(), Link=link)

    def resolve(self, name, commit, path):
        if path not in self.server.models[name]:
            return self.answer(404, X_Error_Code="EntryNotFound")
        if path.endswith(".safetensors"):
            return self.answer(302, Location=f"/cdn/{name}/{path}")
        return self.answer(200, self.server.models[name][path])

    def file(self, name, path):
        content = self.server.models[name][path]
        start = int(re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))[1])
        if start >= len(content):
            return self.answer(416)
        if self.server.busy:
            self.server.busy -= 1
            return self.answer(503)
        if start and not self.server.ranges:
            start = 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        piece = content[start:]
        if self.server.breaks:
            self.server.breaks -= 1
            piece = piece[:self.server.piece]
            self.close_connection = True
        self.wfile.write(piece)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that hangs up is part of what is tested."""


def small_model():
    """As repositories are: beside what is needed, pickle, other frameworks, folders."""
    return {"config.json": b'{"model_type": "gpt2"}', "generation_config.json": b"{}", "tokenizer.json": b'{"version": "1.0"}',
            "tokenizer_config.json": b"{}", "chat_template.jinja": b"{{ messages }}", "additional_chat_templates/tool_use.jinja": b"x", "model.safetensors": WEIGHTS,
            "pytorch_model.bin": b"pickle", "tf_model.h5": b"h5", "flax_model.msgpack": b"m", "onnx/model.onnx": b"o", "onnx/config.json": b"{}",
            "README.md": b"# model", "consolidated.safetensors": b"other layout", "empty/vocab.txt": b""}


NEEDED = {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "model.safetensors",
          "additional_chat_templates/tool_use.jinja"}


class FetchModel(unittest.TestCase):
    def setUp(self):
        self.server = Server(("127.0.0.1", 0), Hub)
        for name, value in {"models": {"maker/small": small_model()}, "seen": [], "token": None, "forbidden": False, "claimed": {}, "checksums": {},
                            "breaks": 0, "piece": 50_000, "busy": 0, "ranges": True}.items():
            setattr(self.server, name, value)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.folder = tempfile.TemporaryDirectory()
        self.target = Path(self.folder.name) / "models" / "small"
        self.part = Path(f"{self.target}.part")

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def fetch(self, *arguments, name="maker/small", status=0, **environment):
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder.name, "HF_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}/", **environment}
        command = [ROOT / "scripts/fetch_model.sh", *([name] if name else []), "--output", self.target, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def found(self, folder=None):
        folder = folder or self.target
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    def refused(self, *words, **arguments):
        error = self.fetch(status=1, **arguments)
        for word in words:
            self.assertIn(word, error)
        self.assertFalse(self.target.exists())

    def test_only_what_is_needed_comes_whole(self):
        self.fetch()
        self.assertEqual(self.found(), NEEDED)
        for path in NEEDED:
            self.assertEqual((self.target / path).read_bytes(), self.server.models["maker/small"][path])
        self.assertFalse(self.part.exists())
        self.assertTrue(all(COMMIT in path for path, _, _ in self.server.seen if "/resolve/" in path))

    def test_a_second_run_compares_and_fetches_nothing(self):
        self.fetch()
        self.server.seen.clear()
        self.assertIn("complete already", self.fetch())
        self.assertFalse([path for path, _, _ in self.server.seen if "/resolve/" in path])
        (self.target / "config.json").write_text("mine")
        self.assertIn("its config.json is not that of maker/small", self.fetch(status=1))
        self.assertEqual((self.target / "config.json").read_text(), "mine")

    def test_shards_are_those_of_the_index(self):
        model = self.server.models["maker/small"]
        del model["model.safetensors"]
        model.update({"model-00001-of-00002.safetensors": WEIGHTS, "model-00002-of-00002.safetensors": WEIGHTS[:999], "old.safetensors": b"old",
                      "model.safetensors.index.json": json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors",
                                                                                 "b": "model-00002-of-00002.safetensors"}}).encode()})
        shards = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"}
        self.fetch("--revision", "refs/pr/1")
        self.assertEqual(self.found(), NEEDED - {"model.safetensors"} | shards)
        self.assertIn("complete already", self.fetch())

    def test_shards_that_are_not_there_are_named(self):
        model = self.server.models["maker/small"]
        del model["model.safetensors"]
        model["model.safetensors.index.json"] = json.dumps({"weight_map": {"a": "../secret.safetensors"}}).encode()
        self.refused("../secret.safetensors, which is not there")

    def test_a_broken_connection_is_taken_up(self):
        self.server.breaks = 2
        error = self.fetch()
        self.assertIn("going on at 50000 of 131072", error)
        self.assertIn("going on at 100000 of 131072", error)
        self.assertEqual((self.target / "model.safetensors").read_bytes(), WEIGHTS)

    def test_the_next_run_goes_on_where_one_gave_up(self):
        self.server.breaks = self.server.busy = 0
        self.part.mkdir(parents=True)
        (self.part / ".source").write_text(f"maker/small {COMMIT}\n")
        (self.part / "model.safetensors.incomplete").write_bytes(WEIGHTS[:77])
        self.assertIn("going on at 77 of 131072", self.fetch())
        self.assertIn("bytes=77-", [taken for _, taken, _ in self.server.seen])
        self.assertEqual((self.target / "model.safetensors").read_bytes(), WEIGHTS)

    def test_giving_up_leaves_nothing_under_the_name(self):
        self.server.busy = 9
        self.refused("model.safetensors: HTTP status 503", "go on")
        self.assertIn("config.json", self.found(self.part))
        self.server.busy = 0
        self.fetch()
        self.assertEqual(self.found(), NEEDED)

    def test_leavings_of_another_commit_are_not_used(self):
        self.part.mkdir(parents=True)
        (self.part / ".source").write_text(f"maker/small {'0' * 40}\n")
        (self.part / "model.safetensors.incomplete").write_bytes(b"old")
        (self.part / "vocab.txt").write_bytes(b"old")
        self.assertNotIn("going on", self.fetch())
        self.assertEqual(self.found(), NEEDED)

    def test_a_server_without_ranges_sends_the_file_again(self):
        self.server.breaks, self.server.ranges = 1, False
        self.fetch()
        self.assertEqual((self.target / "model.safetensors").read_bytes(), WEIGHTS)

    def test_damage_is_found_in_large_and_small_files(self):
        self.server.checksums["model.safetensors"] = "ab" * 32
        self.refused("model.safetensors: found 131072 bytes with the checksum", "expected 131072 bytes with abab", "deleted")
        self.assertNotIn("model.safetensors.incomplete", self.found(self.part))
        self.server.checksums.clear()
        self.server.claimed["config.json"] = 21
        self.refused("config.json: found 22 bytes")

    def test_gated_models_want_a_token(self):
        self.server.token = "hf_abc"
        self.refused("maker/small is gated: accept its conditions at http://127.0.0.1", "HF_TOKEN")
        self.fetch(HF_TOKEN="hf_abc")
        self.assertEqual(self.found(), NEEDED)
        self.server.forbidden = True
        self.assertIn("this account has no access yet", self.fetch(status=1, HF_TOKEN="hf_abc"))

    def test_what_is_missing_is_named(self):
        self.refused("maker/nothing: no such public model (401)", name="maker/nothing")
        self.assertIn("has no revision 'v9'", self.fetch("--revision", "v9", status=1))
        del self.server.models["maker/small"]["config.json"]
        self.refused("there is no config.json")

    def test_pickle_is_not_fetched(self):
        del self.server.models["maker/small"]["model.safetensors"]
        self.refused("only pickle weights (pytorch_model.bin)", "convert_checkpoint.py")
        del self.server.models["maker/small"]["pytorch_model.bin"]
        self.refused("there are no safetensors weights")

    def test_the_disk_is_asked_first(self):
        self.server.claimed["model.safetensors"] = 10**18
        self.refused("the files still to come need 953674", "are free")
        self.assertFalse([path for path, _, _ in self.server.seen if "/resolve/" in path])

    def test_bad_commands_are_refused(self):
        self.refused("no model is named", name=None)
        self.refused("is no name of a model", name="../etc")
        self.assertIn("expected the name of a branch", self.fetch("--revision", "a/../b", status=1))
        self.assertIn("unknown argument '--depth'", self.fetch("--depth", "1", status=1))
        self.refused("cannot be reached", HF_ENDPOINT="http://127.0.0.1:9")
        self.refused("HF_TOKEN holds characters", HF_TOKEN='x"y')


if __name__ == "__main__":
    unittest.main()
