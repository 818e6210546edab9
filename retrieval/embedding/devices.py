"""Where a model runs, found without loading torch where there can be no GPU."""

import platform
import sys
from pathlib import Path

# What their drivers leave in the file system: NVIDIA's, the same under WSL, AMD's.
_GPUS = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))


def best_device() -> str:
    """ "cuda", "mps" or "cpu"."""
    if not _may_have_gpu():
        return "cpu"
    import torch  # heavy: two seconds

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _may_have_gpu() -> bool:
    if sys.platform == "linux":
        return any(path.exists() for path in _GPUS)
    return sys.platform == "win32" or platform.machine() == "arm64"
