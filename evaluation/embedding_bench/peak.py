"""How many operations a second this machine reaches at all: the best of products of matrices.

In a process of its own, `python -m evaluation.embedding_bench.peak DEVICE`, with the cores and
threads of those that are measured.
"""

import json
import subprocess
import sys
import time

from evaluation.embedding_bench.child import environment
from evaluation.resources import on_cores

# Two cores of an AMD EPYC reach 231 GFLOP/s at 512, and at 2,048, where any other work stops them,
# 112. A GPU needs large ones.
_SIZES = (256, 512, 1_024, 2_048)
_GPU_SIZES = (4_096, 8_192, 16_384)
_SECONDS = 0.5  # of each size and precision


def measured_peak(device: str, threads: int, patience: float) -> dict[str, float]:
    """FLOP/s by precision, float32 and bfloat16; empty where it can't be measured."""
    with on_cores(threads):
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter and a module of ours
                [sys.executable, "-P", "-m", "evaluation.embedding_bench.peak", device],
                capture_output=True,
                text=True,
                timeout=patience,
                env=environment(threads),
                check=True,
            )
            found: dict[str, float] = json.loads(done.stdout)
        except (subprocess.SubprocessError, ValueError):
            return {}
    return found


def peak_of(dtype: str) -> str:
    """The precision whose peak a model's is held against: all below float32 have one unit."""
    return "float32" if dtype == "float32" else "bfloat16"


def main() -> None:
    """Print FLOP/s by precision, as JSON."""
    import torch  # heavy, and not wanted in the process that imports this module

    device = sys.argv[1] or ("cuda" if torch.cuda.is_available() else "cpu")
    waits = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}
    wait = waits.get(device.partition(":")[0], lambda: None)
    found = {}
    for name in ("float32", "bfloat16"):
        best = 0.0
        for size in _SIZES if device == "cpu" else _GPU_SIZES:
            one, other = (
                torch.randn(size, size, device=device).to(getattr(torch, name)) for _ in range(2)
            )
            until, times = time.perf_counter() + _SECONDS, 0
            while not times or time.perf_counter() < until:
                wait()
                began = time.perf_counter()
                torch.matmul(one, other)
                wait()
                times += 1
                best = max(best, 2 * size**3 / (time.perf_counter() - began))
        found[name] = best
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
