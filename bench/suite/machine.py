"""What the machine is and what it can do: CPU and versions, the measured rate of matrix products and of memory, and how much others
use it meanwhile.

Run as a program it measures the rates and prints them as JSON: a process of its own, so that torch is not in the runner."""
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from suite.job import THREADS

SHAPES = ((640, 384, 1536), (640, 1536, 384), (1280, 768, 3072), (2048, 768, 768), (2048, 2048, 2048))  # tokens, in, out
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16")
STREAM_BYTES = 256 << 20
BUSY = 0.05  # share of the machine that others may take before a figure is doubted


def cpuinfo(key):
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")


def cpu():
    flags = cpuinfo("flags").split()
    return {"cpu": cpuinfo("model name") or platform.processor(), "cores": os.cpu_count(), "threads": THREADS,
            "flags": [flag for flag in FLAGS if flag in flags], "amx": "amx_bf16" in flags,
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1), "system": platform.platform(terse=True)}


def fastest(body, seconds):
    """Seconds of the fastest of many calls: what the machine can do, not what it usually does."""
    body()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        body()
        best = min(best, time.perf_counter() - start)
    return best


def measure_rates(seconds=0.7):
    """TFLOP/s of [m, k] x [k, n] in both precisions, and GB/s of copying and of a triad (a = b + s c)."""
    import torch

    torch.set_num_threads(THREADS)
    rates = {"matrix": {}, "memory_gb_s": {}}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        for m, k, n in SHAPES:
            a, b, out = torch.randn(m, k, dtype=dtype), torch.randn(k, n, dtype=dtype), torch.empty(m, n, dtype=dtype)
            taken = fastest(lambda: torch.mm(a, b, out=out), seconds)
            rates["matrix"].setdefault(name, {})[f"{m}x{k}x{n}"] = round(2e-12 * m * k * n / taken, 4)
    a, b, c = (torch.ones(STREAM_BYTES // 4) for _ in range(3))
    rates["memory_gb_s"]["copy"] = round(2e-9 * STREAM_BYTES / fastest(lambda: a.copy_(b), seconds), 2)
    rates["memory_gb_s"]["triad"] = round(3e-9 * STREAM_BYTES / fastest(lambda: torch.add(b, c, alpha=3.0, out=a), seconds), 2)
    rates["matrix_tflop_s"] = {name: max(by_shape.values()) for name, by_shape in rates["matrix"].items()}
    return rates


def versions(program):
    from importlib.metadata import version

    names = ("torch", "transformers", "accelerate", "peft", "trl", "scikit-learn", "tokenizers", "datasets")
    attune = json.loads(subprocess.run([program, "info", "--json"], stdout=subprocess.PIPE, check=True, text=True).stdout)
    commit = subprocess.run(["git", "-C", Path(__file__).parent, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return {"attune": attune["attune"], "commit": commit.stdout.strip(), "libtorch": attune["libtorch"], "cpu_capability": attune.get("cpu_capability"),
            "python": platform.python_version(), **{name: version(name) for name in names}}


def describe(program):
    rates = subprocess.run([sys.executable, "-m", "suite.machine"], cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True, text=True)
    return {**cpu(), "versions": versions(program), **json.loads(rates.stdout)}


class Watch:
    """How much of the machine others used between begin and end: busy time of the system less that of this process and its children."""

    def __init__(self):
        self.started, self.busy, self.stolen, self.own = time.perf_counter(), *system_time(), own_time()

    def read(self):
        elapsed = time.perf_counter() - self.started
        busy, stolen = system_time()
        others = max(0.0, busy - self.busy - (own_time() - self.own))
        capacity = elapsed * os.cpu_count()
        return {"load": round(os.getloadavg()[0], 2), "others": round(others / capacity, 3), "stolen": round((stolen - self.stolen) / capacity, 3)}


def system_time():
    with open("/proc/stat", encoding="utf-8") as lines:
        user, nice, system, _, _, irq, softirq, stolen, *_ = (int(field) / os.sysconf("SC_CLK_TCK") for field in lines.readline().split()[1:])
    return user + nice + system + irq + softirq, stolen


def own_time():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def is_idle(watched):
    return watched["others"] + watched["stolen"] <= BUSY


def idle_now(seconds=2.0):
    watch = Watch()
    time.sleep(seconds)
    return watch.read()


if __name__ == "__main__":
    print(json.dumps(measure_rates()))
