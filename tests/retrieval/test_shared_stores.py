"""Several processes on one catalogue, one Chroma database and one place of original bytes."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from retrieval.engine import Engine, open_engine
from retrieval.errors import KnowledgeBaseNotFound, NotFound, StoreUnavailable
from retrieval.inspection import Inspection
from retrieval.ports import Blobs
from retrieval.settings import EngineSettings
from retrieval.stores.chroma_settings import ChromaSettings
from retrieval.types import Mode
from tests.catalogues import engine_settings, on_postgres
from tests.retrieval.library import SOON, Library

pytestmark = on_postgres


@pytest.fixture
def settings(tmp_path: Path, chroma_url: str, bucket: str) -> EngineSettings:
    name = f"test-{uuid4().hex}"
    chroma = ChromaSettings(chroma_url, database=name)
    return engine_settings(tmp_path / "one", chroma=chroma, blobs_url=f"{bucket}/{name}")


def process(settings: EngineSettings, name: str) -> AbstractContextManager[Engine]:
    """An engine as another process has one: only the data directory is its own."""
    return open_engine(replace(settings, data=settings.data.with_name(name)))


@pytest.fixture
def both(settings: EngineSettings) -> Iterator[tuple[Library, Library]]:
    """The same knowledge base in two processes."""
    with process(settings, "one") as one, process(settings, "two") as two:
        libraries = Library(one), Library(two)
        yield libraries
        for library in libraries:
            library.indexer.close()


def wrong(engine: Engine) -> list[str]:
    found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
    return [f"{one.subject}: {one.detail}" for one in found if not one.ok]


def test_what_one_process_publishes_the_others_find(both: tuple[Library, Library]) -> None:
    one, two = both
    added = one.add("tea", "Tea is at four.")
    assert two.texts("tea", Mode.DENSE) == {"tea": ["Tea is at four."]}
    blob = two.engine.documents.live_blob(two.kb, added.document_id)
    assert two.engine.blobs.get(blob or "") == b"Tea is at four."
    two.add("tea", "Tea is at five.")
    assert one.texts("tea", Mode.DENSE) == {"tea": ["Tea is at five."]}
    two.indexer.remove(two.kb, added.document_id)
    assert one.texts("tea", Mode.DENSE) == {}
    assert two.stored()[0] == 0
    two.indexer.settle()
    assert list(one.engine.blobs.digests()) == []


def test_what_another_process_deleted_is_not_made_anew(both: tuple[Library, Library]) -> None:
    one, two = both
    other, _ = one.engine.create("other")
    one.add("tea", "Tea is at four.", kb=other)
    one.indexer.remove_knowledge_base(other)
    with pytest.raises(KnowledgeBaseNotFound):
        two.engine.open("other")
    for opened in (two.engine.stores.vectors, two.engine.stores.lexical):
        with pytest.raises(NotFound, match="deleted meanwhile"):
            opened(other.generation.id)
    assert other.generation.id not in two.engine.stores.generations()


def test_what_another_process_deletes_is_not_made_anew_when_it_was_seen_before(
    both: tuple[Library, Library],
) -> None:
    one, two = both
    doomed, later = (one.engine.create(name)[0] for name in ("doomed", "later"))
    two.engine.stores.lexical(later.generation.id)
    one.indexer.remove_knowledge_base(doomed)
    for opened in (two.engine.stores.vectors, two.engine.stores.lexical):
        with pytest.raises(NotFound, match="deleted meanwhile"):
            opened(doomed.generation.id)
    assert doomed.generation.id not in two.engine.stores.generations()


def test_a_sweep_leaves_alone_what_went_with_its_knowledge_base(
    both: tuple[Library, Library],
) -> None:
    one, two = both
    doomed, _ = one.engine.create("doomed")
    two.indexer._stale[doomed.id] = [(doomed.generation.id, "chunk")]
    one.indexer.remove_knowledge_base(doomed)
    assert two.add("tea", "Tea is at four.").chunks == 1


class Gate:
    """Original bytes whose writing waits until it is let through."""

    def __init__(self, blobs: Blobs) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self._blobs = blobs

    def put(self, data: bytes) -> str:
        digest = self._blobs.put(data)
        self.reached.set()
        assert self.open.wait(SOON)
        return digest


@contextmanager
def publishing(library: Library, uri: str, text: str) -> Iterator[None]:
    """A publication that is staged, with its bytes and not yet its vectors, during the block."""
    gate = Gate(library.engine.blobs)
    with ThreadPoolExecutor(1) as pool, ExitStack() as last:
        last.callback(gate.open.set)
        library.indexer._blobs = gate  # type: ignore[assignment]  # as far as publishing needs it
        added = pool.submit(library.add, uri, text)
        assert gate.reached.wait(SOON)
        yield
        gate.open.set()
        added.result(SOON)
    library.indexer._blobs = library.engine.blobs


def test_a_process_that_starts_waits_for_what_another_publishes(
    settings: EngineSettings, both: tuple[Library, Library]
) -> None:
    one, two = both
    one.add("milk", "Milk is at two.")

    def start() -> tuple[list[str], list[str]]:
        with process(settings, "three") as three:
            return wrong(three), sorted(three.blobs.digests())

    with ThreadPoolExecutor(1) as pool:
        with publishing(one, "tea", "Tea is at four."):
            started = pool.submit(start)
            with pytest.raises(TimeoutError):
                started.result(0.5)
        found, originals = started.result(SOON)
    assert found == []
    assert len(originals) == 2
    assert two.texts("tea milk", Mode.DENSE).keys() == {"tea", "milk"}
    assert one.stored() == (2, 2)


def test_a_process_that_starts_leaves_what_another_imports(
    settings: EngineSettings, both: tuple[Library, Library]
) -> None:
    one, _ = both
    kb = one.engine.knowledge_bases.prepare("imported", one.kb.settings, one.kb.generation.model)
    one.add("tea", "Tea is at four.", kb=kb)
    with process(settings, "three") as three:
        assert three.stores.vectors(kb.generation.id).count() == 1
    one.engine.knowledge_bases.reveal(kb, "imported")
    assert one.engine.stores.vectors(kb.generation.id).count() == 1


def test_processes_that_start_while_others_write_and_delete_change_nothing(
    settings: EngineSettings, both: tuple[Library, Library]
) -> None:
    over = threading.Event()

    def write(library: Library, mine: str) -> None:
        for n in range(12):
            library.add(f"{mine}{n % 3}", f"# {mine}\n\nTea is at {n}.\n\nMilk is at {n}.")
            kb, _ = library.engine.create(f"{mine}-{n}")
            library.add("tea", f"Tea {mine} {n}.", kb=kb)
            library.indexer.remove_knowledge_base(kb)

    def restart() -> int:
        times = 0
        while not over.is_set():
            with process(settings, "three"):
                times += 1
        return times

    with ThreadPoolExecutor(3) as pool:
        restarted = pool.submit(restart)
        written = [pool.submit(write, *pair) for pair in zip(both, ("a", "b"), strict=True)]
        try:
            for one in written:
                one.result(SOON)
        finally:
            over.set()
        assert restarted.result(SOON) > 0
    for library in both:
        library.stored()
    with process(settings, "three") as three:
        assert wrong(three) == []
        assert three.knowledge_bases.counts(three.open("library"))[0] == 6


def empty_chroma(engine: Engine) -> None:
    """Let the server lose all that it has, as when another is started in its place."""
    for name in names_in_chroma(engine):
        engine.stores._vectors.drop(name)  # type: ignore[attr-defined]


def names_in_chroma(engine: Engine) -> list[str]:
    names: list[str] = engine.stores._vectors.names()  # type: ignore[attr-defined]
    return names


GONE = r"gone from Chroma.*restart Footnote"


def test_vectors_that_a_start_wrote_again_are_found_by_who_had_them_open(
    settings: EngineSettings, both: tuple[Library, Library]
) -> None:
    one, two = both
    two.add("tea", "Tea is at four.")
    assert one.texts("tea", Mode.DENSE).keys() == {"tea"}
    empty_chroma(two.engine)
    with process(settings, "three") as three:
        assert wrong(three) == []
    assert one.texts("tea", Mode.DENSE).keys() == {"tea"}
    two.add("milk", "Milk is at two.")
    assert one.texts("tea milk").keys() == {"tea", "milk"}
    assert one.stored() == (2, 2)


@pytest.mark.parametrize("opened", [True, False])
def test_vectors_that_are_gone_are_no_empty_answer_and_no_empty_store(
    settings: EngineSettings, both: tuple[Library, Library], opened: bool
) -> None:
    one, two = both
    one.kb, _ = two.engine.create("later")
    two.add("tea", "Tea is at four.", kb=one.kb)
    if opened:
        one.texts("tea")
    empty_chroma(two.engine)
    for mode in (Mode.DENSE, Mode.HYBRID):
        with pytest.raises(StoreUnavailable, match=GONE):
            one.texts("tea", mode)
    with pytest.raises(StoreUnavailable, match=GONE):
        one.add("milk", "Milk is at two.")
    assert one.texts("tea", Mode.LEXICAL).keys() == {"tea"}
    assert names_in_chroma(two.engine) == []
    with process(settings, "three"):
        assert one.texts("tea", Mode.DENSE).keys() == {"tea"}
    one.add("milk", "Milk is at two.")
    one.indexer.settle()
    assert wrong(one.engine) == []


def test_a_knowledge_base_without_documents_gets_a_store_whenever_it_needs_one(
    both: tuple[Library, Library],
) -> None:
    one, two = both
    assert one.texts("tea") == {}
    for library in both:
        empty_chroma(library.engine)
        assert library.texts("tea") == {}
    empty_chroma(two.engine)
    two.add("tea", "Tea is at four.")
    assert one.texts("tea", Mode.DENSE).keys() == {"tea"}
