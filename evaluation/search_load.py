"""How long a search takes beyond embedding its question, in knowledge bases of any size.

The chunks are made up of real ones: each joins the halves of two texts, and has the mean of their
vectors. So a million of them cost no more embeddings than the few thousand texts they are made of,
and words and vectors still lie as they do in the language.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from sqlalchemy import true

from evaluation.resources import folder_size, one_core, resident_memory
from ingest.pipeline import identify
from retrieval.embedding.cache import text_hash
from retrieval.engine import Engine, open_engine
from retrieval.search import Found, Query
from retrieval.settings import EngineSettings
from retrieval.staging import PreparedDocument
from retrieval.types import Chunk, Document, KnowledgeBase, KnowledgeBaseSettings, Mode, Vectors

SHARES = (2, 10, 100, 1_000)  # a filter leaves one document of so many

_NEAREST = 10
_ROUNDING = 1e-5  # of a cosine, computed in another order
_CHUNKS = 20  # of a document
_SIDE_BY_SIDE = 16  # documents written at once


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds of a search beyond embedding."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class SearchLoad:
    """Searches over so many chunks: by filter, how long they took; what they missed and cost.

    `recall` is the share of the ten nearest chunks that the dense leg found; `memory` counts the
    model too. Sizes in megabytes.
    """

    chunks: int
    searches: Mapping[str, Percentiles]
    recall: float
    memory: float
    disk: float
    written: float  # chunks a second


@dataclass(frozen=True, slots=True)
class Stock:
    """Real texts and their vectors `(n, d)`, of which others are made up."""

    texts: Sequence[str]
    vectors: Vectors

    def chunk(self, number: int) -> tuple[str, int, int]:
        """The text of a chunk and the two it is made of: no two chunks have the same."""
        count = len(self.texts)
        first, second = number % count, (number + 1 + number // count) % count
        return f"{_half(self.texts[first], 0)} {_half(self.texts[second], 1)}", first, second

    @property
    def most(self) -> int:
        """How many chunks can be made."""
        return len(self.texts) * (len(self.texts) - 1)


def stock_of(engine: Engine, texts: Sequence[str]) -> Stock:
    """These texts, as much of each as fits the window of an engine's model."""
    window = engine.embedder.identity.window
    cut = [engine.embedder.fit(text, window).text for text in texts]
    return Stock(cut, engine.embedder.embed_documents(cut))


def search_loads(
    settings: EngineSettings,
    texts: Sequence[str],
    questions: Sequence[str],
    sizes: Sequence[int],
    watch: Callable[[int], None],
) -> Iterator[SearchLoad]:
    """One knowledge base that grows from size to size; at each all questions are asked of it.

    They are asked one after the other, on one core. `settings` name a data directory to fill.
    """
    with open_engine(settings) as engine:
        stock = stock_of(engine, texts)
        kb, _ = engine.create("load", KnowledgeBaseSettings(dense_weight=0.5))
        done = 0
        for size in sorted(sizes):
            began = time.perf_counter()
            grow(engine, kb, stock, done, size, watch)
            written = (size - done) / (time.perf_counter() - began)
            done = size
            engine.calibrator.refresh(kb)
            engine.residents.load(kb)
            with one_core():
                searches = {
                    name: _timed(engine, kb, questions, filter_)
                    for name, filter_ in _filters().items()
                }
            yield SearchLoad(
                chunks=size,
                searches=searches,
                recall=_recall(engine, kb, questions),
                memory=resident_memory(),
                disk=folder_size(settings.data),
                written=written,
            )


def _filters() -> dict[str, dict[str, Any]]:
    return {"all": {}, **{f"1 of {share}": {f"of_{share}": 0} for share in SHARES}}


def _timed(
    engine: Engine, kb: KnowledgeBase, questions: Sequence[str], filter_: dict[str, Any]
) -> Percentiles:
    engine.searcher.search(kb, Query(questions[0], filter=filter_))
    return percentiles_of([engine.searcher.search(kb, Query(q, filter=filter_)) for q in questions])


def percentiles_of(searches: Sequence[Found]) -> Percentiles:
    """Of how long they took beyond embedding."""
    taken = sorted(1e3 * (one.timings["total"] - one.timings["embed"]) for one in searches)
    return Percentiles(taken[len(taken) // 2], taken[math.ceil(len(taken) * 0.95) - 1])


def _recall(engine: Engine, kb: KnowledgeBase, questions: Sequence[str]) -> float:
    """The mean share of hits that are as near as the last of the truly nearest."""
    vectors = np.stack([engine.embedder.embed_query(question) for question in questions])
    best = np.full((len(questions), _NEAREST), -np.inf, dtype=np.float32)
    for _, block in engine.chunks.scan(kb, true()):
        seen = np.concatenate([best, vectors @ block.T], axis=1)
        best = np.partition(seen, -_NEAREST, axis=1)[:, -_NEAREST:]
    shares = []
    for question, last in zip(questions, best.min(axis=1).tolist(), strict=True):
        hits = engine.searcher.search(kb, Query(question, _NEAREST, Mode.DENSE)).hits
        shares.append(sum(hit.score >= last - _ROUNDING for hit in hits) / _NEAREST)
    return fmean(shares)


def grow(
    engine: Engine,
    kb: KnowledgeBase,
    stock: Stock,
    done: int,
    size: int,
    watch: Callable[[int], None],
) -> None:
    """Add the chunks from number `done` on, up to `size`."""
    starts = range(done, size, _CHUNKS)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for at in range(0, len(starts), _SIDE_BY_SIDE):  # no more in hand than are written
            part = starts[at : at + _SIDE_BY_SIDE]
            made = [_document(kb, stock, start, min(start + _CHUNKS, size)) for start in part]
            for _ in pool.map(engine.indexer.publish, made):
                pass
            watch(min(part[-1] + _CHUNKS, size))


def _document(kb: KnowledgeBase, stock: Stock, first: int, last: int) -> PreparedDocument:
    """A document with the chunks of these numbers."""
    made = [stock.chunk(number) for number in range(first, last)]
    texts = tuple(text for text, _, _ in made)
    data = "\n\n".join(texts).encode()
    blob = hashlib.sha256(data).hexdigest()
    number = first // _CHUNKS
    uri = f"made-up-{number}"
    document = Document(
        id=identify(kb, uri),
        uri=uri,
        version=blob[:24],
        title=uri,
        media_type="text/plain",
        text=data.decode(),
        metadata={f"of_{share}": number % share for share in SHARES},
    )
    starts = np.cumsum([0, *(len(text) + 2 for text in texts)]).tolist()
    chunks = tuple(
        Chunk(
            id=text_hash(f"{document.id}\n{at}"),
            document_id=document.id,
            version=document.version,
            ordinal=at,
            start=start,
            end=start + len(text),
            heading=(),
            context="",
            tokens=0,
        )
        for at, (text, start) in enumerate(zip(texts, starts, strict=False))
    )
    pairs = np.array([pair for _, *pair in made])
    vectors = stock.vectors[pairs[:, 0]] + stock.vectors[pairs[:, 1]]
    return PreparedDocument(
        kb=kb,
        document=document,
        name=uri,
        data=data,
        blob=blob,
        properties={},
        warnings=(),
        chunks=chunks,
        texts=texts,
        hashes=tuple(map(text_hash, texts)),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
    )


def _half(text: str, which: int) -> str:
    words = text.split()
    return " ".join(words[: len(words) // 2] if which == 0 else words[len(words) // 2 :])
