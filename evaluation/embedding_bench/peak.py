"""How many operations a second this machine reaches at all: the best of products of matrices.

In a process of its own, `python -m evaluation.embedding_bench.peak DEVICE`, with the cores and
threads of those that are measured.
"""

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial

from evaluation.embedding_bench.child import environment
from evaluation.resources import on_cores

# Large ones are stopped by any other work: 2,048 by half, beside a busy process. A GPU needs them.
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
        sizes = _SIZES if device == "cpu" else _GPU_SIZES
        found[name] = max(
            _fastest(product, 2 * size**3, wait)
            for size in sizes
            for product in _products(device, name, size)
        )
    sys.stdout.write(json.dumps(found))


def _products(device: str, dtype: str, size: int) -> Iterator[Callable[[], object]]:
    """Ways to multiply two square matrices.

    For float32 torch has two libraries, and here the one that it doesn't use by itself is twice as
    fast (502 GFLOP/s against 226 on two cores of an AMD EPYC).
    """
    import torch

    one, other = (
        torch.randn(size, size, device=device).to(getattr(torch, dtype)) for _ in range(2)
    )
    yield partial(torch.matmul, one, other)
    if device == "cpu" and dtype == "float32" and "mkldnn" in torch.__config__.show().lower():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is told to be old, and nothing else does it
            from torch.utils.mkldnn import to_mkldnn

            layer = to_mkldnn(  # type: ignore[no-untyped-call]
                torch.nn.Linear(size, size, bias=False)
            )
        yield partial(layer, one.to_mkldnn())


def _fastest(product: Callable[[], object], operations: int, wait: Callable[[], None]) -> float:
    """Operations a second, the best of some time."""
    import torch

    best = 0.0
    with torch.inference_mode():
        until = time.perf_counter() + _SECONDS
        while not best or time.perf_counter() < until:
            wait()
            began = time.perf_counter()
            product()
            wait()
            best = max(best, operations / (time.perf_counter() - began))
    return best


if __name__ == "__main__":
    main()
