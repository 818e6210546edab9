import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from retrieval.errors import DocumentNotFound, KnowledgeBaseNotFound
from retrieval.indexing import Published
from retrieval.types import Mode
from tests.retrieval.library import Fault, Library

OLD = "# Zebra\n\nThe zebra is old.\n\n# 斑马\n\n旧的斑马。\n"
NEW = "# Zebra\n\nThe zebra is new.\n\n# 斑马\n\n新的斑马。\n\n# More\n\nA third zebra.\n"
WRITES = 2  # of a new document: vectors and postings
REPLACEMENT_WRITES = 4  # and the old ones deleted from both


def test_what_publishing_comes_to(library: Library) -> None:
    assert library.upload("a.md", OLD).outcome is Published.ADDED
    assert library.upload("a.md", OLD).outcome is Published.UNCHANGED
    assert library.upload("b.md", OLD).outcome is Published.DUPLICATE
    assert library.upload("a.md", NEW).outcome is Published.UPDATED
    assert library.upload("b.md", OLD).outcome is Published.ADDED


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


@pytest.mark.parametrize("call", [1, 2])
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


@pytest.mark.parametrize("call", range(3, REPLACEMENT_WRITES + 1))
def test_old_chunks_that_cannot_be_deleted_are_found_by_nobody(library: Library, call: int) -> None:
    library.add("a", OLD)
    library.faults.calls, library.faults.fail_at = 0, call
    assert library.add("a", NEW).outcome is Published.UPDATED
    for mode in Mode:
        assert len(library.texts("zebra 斑马", mode)["a"]) == 3
    assert library.add("a", NEW).outcome is Published.UNCHANGED


def test_a_failing_document_does_not_fail_those_that_share_its_round(library: Library) -> None:
    outcomes: Counter[str] = Counter()
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait(30)

    def add(number: int) -> None:
        try:
            library.add(f"d{number}", f"Zebra number {number}.")
            outcomes["added"] += 1
        except Fault:
            outcomes["failed"] += 1

    poisoned = library.add("d3", "Zebra, once healthy.").document_id
    with ThreadPoolExecutor(9) as pool:
        blocked = library.indexer._writer.submit(hold)
        assert held.wait(30)
        library.faults.poison = poisoned
        added = [pool.submit(add, number) for number in range(8)]
        while len(library.indexer._waiting) < 8:
            threading.Event().wait(0.01)
        go.set()
        for one in (*added, blocked):
            one.result(30)
    assert outcomes == {"added": 7, "failed": 1}
    assert library.texts("zebra")["d3"] == ["Zebra, once healthy."]
    assert len(library.texts("zebra")) == 8


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
