import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial

import pytest

from retrieval import removal
from retrieval.database import Database
from retrieval.errors import DocumentNotFound, KnowledgeBaseNotFound, Superseded
from retrieval.indexing import Published
from retrieval.types import Chunking, KnowledgeBaseSettings, Mode
from tests.catalogues import on_postgres
from tests.retrieval.faults import Fault
from tests.retrieval.library import SOON, Library

OLD = "# Zebra\n\nThe zebra is old.\n\n# 斑马\n\n旧的斑马。\n"
NEW = "# Zebra\n\nThe zebra is new.\n\n# 斑马\n\n新的斑马。\n\n# More\n\nA third zebra.\n"
WRITES = 4  # of a version: staged, vectors, postings, made live
REPLACEMENT_WRITES = 6  # and the old chunks deleted from both stores


def test_what_publishing_comes_to(library: Library) -> None:
    assert library.upload("a.md", OLD).outcome is Published.ADDED
    assert library.upload("a.md", OLD).outcome is Published.UNCHANGED
    assert library.upload("b.md", OLD).outcome is Published.DUPLICATE
    assert library.upload("a.md", NEW).outcome is Published.UPDATED
    assert library.upload("b.md", OLD).outcome is Published.ADDED


def test_a_document_is_no_duplicate_of_itself(library: Library) -> None:
    library.upload("a.md", OLD)
    assert library.upload("a.md", OLD, title="斑马").outcome is Published.UPDATED
    assert {hit.title for hit in library.hits("zebra")} == {"斑马"}


def test_a_version_can_come_back(library: Library) -> None:
    for text, sections in ((OLD, 2), (NEW, 3), (OLD, 2)):
        library.add("a", text)
        assert len(library.texts("zebra 斑马")["a"]) == sections
        assert library.stored() == (sections, sections)
        assert library.indexed() == sections


def test_texts_of_their_own_are_kept_apart(library: Library) -> None:
    assert [library.add(uri, OLD).outcome for uri in ("a", "b")] == [Published.ADDED] * 2
    assert set(library.texts("zebra")) == {"a", "b"}


@pytest.mark.parametrize("call", range(1, WRITES + 1))
def test_a_new_document_that_fails_is_not_seen_and_can_be_sent_again(
    library: Library, call: int
) -> None:
    library.faults.fail_at = call
    with pytest.raises(Fault):
        library.add("a", OLD)
    for mode in Mode:
        assert library.hits("zebra 斑马", mode) == ()
    assert library.engine.documents.count(library.kb) == 0
    assert library.add("a", OLD).outcome is Published.ADDED
    assert len(library.texts("zebra 斑马")["a"]) == 2
    assert library.stored() == (2, 2)


@pytest.mark.parametrize("call", range(1, WRITES + 1))
def test_a_new_version_that_fails_leaves_the_old_one_whole(library: Library, call: int) -> None:
    library.add("a", OLD)
    before = {mode: library.texts("zebra 斑马", mode) for mode in Mode}
    library.faults.calls, library.faults.fail_at = 0, call
    with pytest.raises(Fault):
        library.add("a", NEW)
    assert {mode: library.texts("zebra 斑马", mode) for mode in Mode} == before
    assert library.add("a", NEW).outcome is Published.UPDATED
    assert len(library.texts("zebra 斑马")["a"]) == 3
    assert library.stored() == (3, 3)


@pytest.mark.parametrize("call", range(WRITES + 1, REPLACEMENT_WRITES + 1))
def test_old_chunks_that_cannot_be_deleted_are_found_by_nobody(library: Library, call: int) -> None:
    library.add("a", OLD)
    library.faults.calls, library.faults.fail_at = 0, call
    assert library.add("a", NEW).outcome is Published.UPDATED
    for mode in Mode:
        assert len(library.texts("zebra 斑马", mode)["a"]) == 3
    assert library.add("a", NEW).outcome is Published.UNCHANGED


def test_what_waits_shares_a_round(library: Library) -> None:
    with library.together(*(partial(library.add, f"d{n}", f"Zebra {n}.") for n in range(8))):
        library.faults.calls = 0
    assert library.faults.calls == WRITES
    assert len(library.texts("zebra")) == 8


def test_a_failing_document_does_not_fail_those_that_share_its_round(library: Library) -> None:
    poisoned = library.add("d3", "Zebra, once healthy.").document_id
    adds = (partial(library.add, f"d{n}", f"Zebra number {n}.") for n in range(8))
    with library.together(*adds) as added:
        library.faults.poison = poisoned
    assert [n for n, one in enumerate(added) if isinstance(one.exception(), Fault)] == [3]
    assert library.texts("zebra") == {
        f"d{n}": ["Zebra, once healthy." if n == 3 else f"Zebra number {n}."] for n in range(8)
    }


@pytest.mark.parametrize("call", range(1, WRITES + 1))
def test_a_round_that_fails_is_done_again_document_by_document(library: Library, call: int) -> None:
    adds = (partial(library.add, f"d{n}", f"Zebra {n}.") for n in range(4))
    with library.together(*adds) as added:
        library.faults.calls, library.faults.fail_at = 0, call
    assert [one.result().outcome for one in added] == [Published.ADDED] * 4
    assert len(library.texts("zebra")) == 4
    assert library.stored() == (4, 4)


@on_postgres
def test_a_round_holds_one_knowledge_base_so_that_others_can_publish_in_the_rest(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    another, _ = library.engine.create("another")
    database, held = library.indexer._database, []
    hold = database.hold

    def noted(names: Iterable[str]) -> AbstractContextManager[Database]:
        held.append({*names})
        return hold(held[-1])

    monkeypatch.setattr(database, "hold", noted)
    kbs = [library.kb, another] * 3
    adds = (partial(library.add, f"d{n}", f"Zebra {n}.", kb=kb) for n, kb in enumerate(kbs))
    with library.together(*adds) as added:
        pass
    assert [one.result().outcome for one in added] == [Published.ADDED] * 6
    assert held == [{library.kb.id}, {another.id}]


class Originals:
    """Those of a library, written by `put`, which is given what writes them."""

    def __init__(self, library: Library, put: Callable[[bytes, Callable[[], str]], str]) -> None:
        self._blobs, self._put = library.engine.blobs, put
        library.indexer._blobs = self  # type: ignore[assignment]

    def put(self, data: bytes) -> str:
        return self._put(data, partial(self._blobs.put, data))


def test_originals_of_a_round_are_written_side_by_side(library: Library) -> None:
    all_of_them = threading.Barrier(4, timeout=SOON)

    def put(_data: bytes, write: Callable[[], str]) -> str:
        all_of_them.wait()
        return write()

    Originals(library, put)
    adds = (partial(library.add, f"d{n}", f"Zebra {n}.") for n in range(4))
    with library.together(*adds) as added:
        pass
    for one in added:
        blob, *_ = library.engine.documents.original(library.kb, one.result().document_id)
        assert library.engine.blobs.has(blob)


def test_where_one_original_fails_no_other_is_being_written_any_more(library: Library) -> None:
    failed, goes_on = threading.Event(), threading.Event()
    seen: list[bool] = []

    def put(data: bytes, write: Callable[[], str]) -> str:
        if data != b"Bad.":
            failed.wait(SOON)
            seen.append(goes_on.wait(0.2))  # nothing goes on while this is written
            return write()
        if failed.is_set():
            goes_on.set()
        failed.set()
        raise Fault

    Originals(library, put)
    adds = (partial(library.add, text, text) for text in ("Bad.", "Good."))
    with library.together(*adds) as added:
        pass
    bad, good = added
    assert isinstance(bad.exception(), Fault)
    assert good.result().outcome is Published.ADDED
    assert seen[0] is False


def test_of_two_versions_that_wait_the_later_one_stays(library: Library) -> None:
    with library.together(lambda: library.add("a", OLD), lambda: library.add("a", NEW)) as added:
        pass
    assert [one.result().outcome for one in added] == [Published.ADDED, Published.UPDATED]
    assert len(library.texts("zebra 斑马")["a"]) == 3
    assert library.stored() == (3, 3)


def test_of_two_equal_uploads_that_wait_one_is_added(library: Library) -> None:
    uploads = (partial(library.upload, f"{n}.md", OLD) for n in range(2))
    with library.together(*uploads) as added:
        pass
    assert [one.result().outcome for one in added] == [Published.ADDED, Published.DUPLICATE]
    assert len({one.result().document_id for one in added}) == 1
    assert library.stored() == (2, 2)


def test_a_knowledge_base_deleted_meanwhile_fails_only_its_own_documents(library: Library) -> None:
    engine, (doomed, _) = library.engine, library.engine.create("doomed")
    adds = (partial(library.add, "a", OLD, kb=kb) for kb in (library.kb, doomed))
    with library.together(*adds) as added:
        removal.knowledge_base(engine.database, engine.stores, doomed)
    kept, lost = added
    assert kept.result().outcome is Published.ADDED
    assert isinstance(lost.exception(), KnowledgeBaseNotFound)
    assert len(library.texts("zebra 斑马")["a"]) == 2


def test_many_threads_with_one_document_leave_one_version(library: Library) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: library.add("a", OLD).outcome, range(8)))
    assert outcomes.count(Published.ADDED) == 1
    assert outcomes.count(Published.UNCHANGED) == 7
    assert library.stored() == (2, 2)


def test_a_knowledge_base_that_is_gone_is_said_to_be(library: Library) -> None:
    library.indexer.remove_knowledge_base(library.kb)
    with pytest.raises(KnowledgeBaseNotFound, match="library"):
        library.add("a", OLD)


def test_metadata_can_be_replaced_alone(library: Library) -> None:
    document = library.add("a", OLD, {"year": 1}).document_id
    library.indexer.describe(library.kb, document, {"team": ("法务", "sales")})
    assert library.engine.documents.summary(library.kb, document).metadata == {
        "team": ("法务", "sales")
    }
    with pytest.raises(DocumentNotFound):
        library.indexer.describe(library.kb, "nobody", {})


def test_a_document_that_was_cut_the_old_way_is_refused(library: Library) -> None:
    changed = KnowledgeBaseSettings(Chunking(64, 8))
    kb, _ = library.engine.create("library", changed)
    with pytest.raises(Superseded, match="send it again"):
        library.add("a", OLD)
    library.kb = kb
    assert library.add("a", OLD).outcome is Published.ADDED
