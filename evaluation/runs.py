"""Runs: what a configuration retrieved for each question of a set, kept so that it can be judged.

A run is kept under the digest of all that decides it, this program's own code included, and line
by line, so that one that was interrupted goes on where it was.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, NamedTuple

import ingest
import retrieval
from evaluation.configuration import Configuration
from evaluation.test_set import TestSet
from retrieval.engine import Engine
from retrieval.search import Query
from retrieval.types import KnowledgeBase

DEPTH = 100  # chunks that are kept of each question: enough to hold ten documents


class Retrieved(NamedTuple):
    """A span that was found, and its score."""

    document: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Run:
    """What was retrieved for each question, best first, and the seconds that each took."""

    set_name: str
    configuration: Configuration
    retrieved: Mapping[str, tuple[Retrieved, ...]]
    seconds: Mapping[str, float]

    def ranking(self, question: str, grades: Mapping[str, int]) -> list[str]:
        """The documents in the order of their best spans, as they are judged: without the
        question's own text, unless that has a grade.
        """
        found = dict.fromkeys(one.document for one in self.retrieved[question])
        return [one for one in found if one != question or one in grades]


Search = Callable[[str], tuple[Sequence[Retrieved], float]]
"""Finds spans for a question, and says how long it took."""


def search_of(engine: Engine, kb: KnowledgeBase, configuration: Configuration) -> Search:
    """A search as users get it, of one generation whatever is switched to meanwhile."""

    def search(text: str) -> tuple[Sequence[Retrieved], float]:
        found = engine.searcher.search(kb, Query(text, DEPTH, configuration.mode), pinned=True)
        spans = [Retrieved(h.uri, h.chunk.start, h.chunk.end, h.score) for h in found.hits]
        return spans, found.timings["total"]

    return search


class RunStore:
    """Keeps runs in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, test_set: TestSet, configuration: Configuration) -> Path:
        """Where the run of this configuration over this set is, or would be."""
        decides = asdict(configuration) | {"name": "", "code": _code(), "set": test_set.digest}
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
        name = re.sub(r"[^\w.-]+", "_", test_set.name)[:100]
        return self._folder / f"{name}-{configuration.mode}-{digest[:16]}.jsonl"

    def make(
        self,
        test_set: TestSet,
        configuration: Configuration,
        search: Search,
        on_progress: Callable[[int], None],
    ) -> Run:
        """The run, of which only those questions are searched for that it lacks, or has in other
        words.
        """
        path = self.path(test_set, configuration)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as kept:
            known = _read(kept)
            for done, (key, text) in enumerate(test_set.questions.items(), start=1):
                if (key, text) not in known:
                    found, seconds = search(text)
                    known[key, text] = (tuple(found), seconds)
                    kept.write(json.dumps([key, text, seconds, found]).encode() + b"\n")
                on_progress(done)
        asked = {key: known[key, text] for key, text in test_set.questions.items()}
        return Run(
            test_set.name,
            configuration,
            {key: found for key, (found, _) in asked.items()},
            {key: seconds for key, (_, seconds) in asked.items()},
        )


def _read(kept: BinaryIO) -> dict[tuple[str, str], tuple[tuple[Retrieved, ...], float]]:
    """What a run has, by question and its words; where it was interrupted in a line, that line is
    taken away.
    """
    known: dict[tuple[str, str], tuple[tuple[Retrieved, ...], float]] = {}
    kept.seek(0)
    whole = 0
    for line in kept:
        if not line.endswith(b"\n"):
            break
        key, text, seconds, found = json.loads(line)
        known[key, text] = (tuple(Retrieved(*one) for one in found), seconds)
        whole += len(line)
    kept.truncate(whole)
    return known


@cache
def _code() -> str:
    """A hash of the code that a run goes through, and of the engines' versions."""
    digest = hashlib.sha256()
    for package in (ingest, retrieval):
        for folder in package.__path__:
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(path.read_bytes())
    for name in ("indexing", "measuring", "runs"):
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    for engine in ("chromadb", "numpy", "sentence-transformers", "tantivy", "torch"):
        digest.update(f"{engine} {version(engine)}".encode())
    return digest.hexdigest()
