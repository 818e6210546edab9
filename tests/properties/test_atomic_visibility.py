"""Invariant 3: a version is searchable entirely or not at all, whatever fails and whenever."""

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import Engine, open_engine
from retrieval.types import Mode
from tests.catalogues import engine_settings
from tests.retrieval.faults import Fault
from tests.retrieval.library import Library

# The lexical index is exact; a graph of vectors may miss one, see the contract of vector stores.
COMPLETE = (Mode.LEXICAL, Mode.HYBRID)
URIS = st.sampled_from(["a", "b", "文"])


def text(version: int, sections: int) -> str:
    """Every section holds "zebra", so that one query finds every chunk there is."""
    return "\n\n".join(f"# 第{n}节\n\nZebra {n} of version {version}." for n in range(sections))


class Visibility(RuleBasedStateMachine):
    """Documents come, change and go while ports fail; `live` is what a reader must see."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.opened = ExitStack()
        self.live: dict[str, tuple[int, int]] = {}
        self.ids: dict[str, str] = {}
        self.open()

    def open(self) -> None:
        data = engine_settings(Path(self.folder.name))
        engine = self.opened.enter_context(open_engine(data, HashingBackend(64)))
        self.library = Library(engine)
        self.opened.callback(self.library.indexer.close)

    @rule(uri=URIS, version=st.integers(0, 3), sections=st.integers(1, 4), fail=st.integers(0, 7))
    def add(self, uri: str, version: int, sections: int, fail: int) -> None:
        faults = self.library.faults
        faults.calls, faults.fail_at = 0, fail
        try:
            self.ids[uri] = self.library.add(uri, text(version, sections)).document_id
            self.live[uri] = (version, sections)
        except Fault:
            pass
        faults.fail_at = 0

    @rule(uri=URIS, fail=st.integers(0, 3))
    def remove(self, uri: str, fail: int) -> None:
        if uri in self.live:
            self.library.faults.calls, self.library.faults.fail_at = 0, fail
            try:
                self.library.indexer.remove(self.library.kb, self.ids[uri])
                del self.live[uri]
            except Fault:
                pass
            self.library.faults.fail_at = 0

    @rule()
    def restart(self) -> None:
        self.opened.close()
        self.open()

    @invariant()
    def a_reader_sees_every_live_chunk_and_no_other(self) -> None:
        expected = {
            uri: [f"Zebra {n} of version {version}." for n in range(sections)]
            for uri, (version, sections) in self.live.items()
        }
        for mode in COMPLETE:
            assert self.library.texts("zebra", mode) == expected
        for uri, found in self.library.texts("zebra", Mode.DENSE).items():
            assert set(found) <= set(expected[uri])
        counts = self.library.engine.knowledge_bases.counts(self.library.kb)
        assert counts == (len(expected), sum(map(len, expected.values())))

    def teardown(self) -> None:
        self.opened.close()
        self.folder.cleanup()


TestVisibility = Visibility.TestCase
TestVisibility.settings = settings(max_examples=15, stateful_step_count=12)


def test_readers_see_the_old_version_or_the_new_one(engine: Engine) -> None:
    library = Library(engine)
    texts = [text(version, 2 + version % 2 * 3) for version in range(12)]
    library.add("a", texts[0])
    whole = {
        tuple(f"Zebra {n} of version {version}." for n in range(2 + version % 2 * 3))
        for version in range(12)
    }
    done = threading.Event()

    def read(mode: Mode) -> int:
        reads = 0
        while not done.is_set() or not reads:
            found = tuple(library.texts("zebra", mode)["a"])
            assert found in whole or (
                mode is Mode.DENSE and any(set(found) <= set(one) for one in whole)
            )
            reads += 1
        return reads

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read, mode) for mode in Mode]
        try:
            for version in texts[1:]:
                library.add("a", version)
        finally:
            done.set()
        assert all(reader.result(60) > 1 for reader in readers)
    library.indexer.close()
