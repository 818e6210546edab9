"""A look at the files of the vector store from a process that may die of it.

    python -m retrieval.stores.probe DIRECTORY   < some vectors that it should hold, as JSON

Damaged files don't only raise errors: chromadb 1.5.9 crashes the process on noise in
`data_level0.bin` and searches for ever on truncated files. So they are tried out here first, and
the parent takes any end but a good one, in any time but a short one, for damage.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from retrieval.errors import RetrievalError, StoreUnavailable
from retrieval.stores.chroma import ChromaVectorStores
from retrieval.types import Vector

Samples = Mapping[str, Mapping[str, Vector]]
"""By the name of a store, some of the vectors that it should hold, by their ids."""

_SECONDS = 60.0  # and a second for each 10 MB
_BYTES_A_SECOND = 10_000_000
_SAME = 0.999  # cosine of a vector with what the store makes of it


def damage(directory: Path, samples: Samples) -> str | None:
    """What is wrong with the files of an embedded Chroma, or None."""
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter and this module
            [sys.executable, "-P", "-m", "retrieval.stores.probe", str(directory)],
            input=json.dumps(
                {name: {i: v.tolist() for i, v in some.items()} for name, some in samples.items()}
            ),
            capture_output=True,
            text=True,
            timeout=_SECONDS + size / _BYTES_A_SECOND,
        )
    except subprocess.TimeoutExpired as error:
        return f"reading it took longer than {error.timeout:.0f} s"
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return f"reading it ends the process with signal {-done.returncode}"
    return (done.stdout.strip() or done.stderr.strip() or "it can't be read")[-300:]


def main(directory: str) -> int:
    """0 if every store can be read and finds what it should; else says why not."""
    logging.disable()
    try:
        samples = json.load(sys.stdin)
        _check(
            Path(directory),
            {
                name: {i: np.array(vector, np.float32) for i, vector in some.items()}
                for name, some in samples.items()
            },
        )
    except RetrievalError as error:
        sys.stdout.write(str(error))
        return 1
    return 0


def _check(directory: Path, samples: Samples) -> None:
    """Read every store, compare some vectors, and look for them.

    A vector that is missing is no damage: a process may have died before it wrote it. Nor is one
    that isn't found, since the index is approximate, unless none is.
    """
    stores = ChromaVectorStores.embedded(directory)
    for name in stores.names():
        store = stores.open(name)
        store.ids()
        some = samples.get(name, {})
        kept = store.vectors(list(some))
        wrong = sum(float(np.dot(kept[id_], some[id_])) < _SAME for id_ in kept)
        if wrong:
            raise StoreUnavailable(f"{wrong} of {len(kept)} vectors aren't what was written")
        found = [store.query(some[id_], 1) for id_ in kept]
        if kept and not any(hits and hits[0].score > _SAME for hits in found):
            raise StoreUnavailable(f"none of {len(kept)} vectors is found any more")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
