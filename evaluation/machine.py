"""The machine that something was measured on, in a line: times mean little without it."""

import os
import platform
import sys

from retrieval.processor import available_cores, processor_name

_BUSY = 0.25  # of each core: less is what a machine does anyway


def describe() -> str:
    """Processor, cores that this process may use, memory, Python, and GPU: `AMD EPYC, 2 cores,
    24 GiB RAM, Python 3.11.2`. What the system doesn't tell is left out.

    A GPU is named only where torch is loaded already: what doesn't use torch doesn't use it.
    """
    count = available_cores()
    cores = f"{count} core{'s' if count > 1 else ''}"
    python = f"Python {platform.python_version()}"
    return ", ".join(part for part in (processor_name(), cores, _memory(), python, _gpu()) if part)


def other_work() -> str:
    """That the machine did something else over the last minute, as a remark; "" where it didn't,
    or nothing tells.
    """
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy <= _BUSY * available_cores():
        return ""
    return f"The machine did other work: its load was {busy:.1f} when this began."


def _memory() -> str:
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has none of this
        return ""
    return f"{size / 2**30:.0f} GiB RAM"


def _gpu() -> str:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return ""
    return ", ".join(torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count()))
