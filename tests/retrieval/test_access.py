import threading

from retrieval import access
from retrieval.access import ANYBODY, NOBODY, Principal, Scope, acting_as
from retrieval.engine import Engine

SOMEBODY = Principal("k", frozenset({Scope.READ}), frozenset({"a"}))


def test_the_process_itself_sees_everything(engine: Engine) -> None:
    engine.create("a")
    assert access.asking() is None
    assert access.may_see("a")
    assert [kb.name for kb in engine.knowledge_bases.all()] == ["a"]


def test_what_is_not_for_who_asks_is_missing(engine: Engine) -> None:
    for name in ("a", "b"):
        engine.create(name)
    bases = engine.knowledge_bases
    hidden = bases.get("b")
    for principal, seen in ((SOMEBODY, ["a"]), (NOBODY, []), (ANYBODY, ["a", "b"])):
        with acting_as(principal):
            assert [kb.name for kb in bases.all()] == seen
            assert [kb.name for kb in bases.generations()] == seen
            assert (bases.find("b") is not None) == ("b" in seen)
            assert (bases.by_id(hidden.id) is not None) == ("b" in seen)
            assert access.may_see("b") == ("b" in seen)
    assert access.asking() is None


def test_a_block_within_another_ends_where_it_ends() -> None:
    with acting_as(SOMEBODY):
        with acting_as(NOBODY):
            assert access.asking() is NOBODY
        assert access.asking() is SOMEBODY


def test_a_thread_of_the_process_is_asked_by_nobody() -> None:
    seen: list[object] = []
    with acting_as(SOMEBODY):
        thread = threading.Thread(target=lambda: seen.append(access.asking()))
        thread.start()
        thread.join()
    assert seen == [None]
