"""Leases on jobs, in either kind of catalogue."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import event, update

from ingest.job_store import Job, JobStore
from ingest.leases import LeaseLost, Leases, Taken, permit
from ingest.types import Source, Stage
from retrieval.engine import Engine
from retrieval.errors import StoreUnavailable
from retrieval.lease import new_lease
from retrieval.schema import jobs
from retrieval.types import KnowledgeBase
from tests.ingest.workshop import queued

SOON = 30.0  # seconds that nothing here takes

Add = Callable[..., Job]


@pytest.fixture
def kbs(engine: Engine) -> list[KnowledgeBase]:
    return [engine.create(name)[0] for name in ("one", "two")]


@pytest.fixture
def leases(engine: Engine) -> Leases:
    return Leases(engine.database)


@pytest.fixture
def add(store: JobStore, kbs: list[KnowledgeBase]) -> Add:
    """Adds a job, after those before."""

    def one(key: str, kb: int = 0, document: str = "") -> Job:
        job = queued(kbs[kb], key, document)
        [kept] = store.add([(job, Source(key, key, b""))])
        return kept

    return one


def taken(leases: Leases) -> str:
    """The job that is worked on from now on, if there is one."""
    found = leases.take()
    if found and found.alone:
        assert leases.begin(found.job_id, found.lease)
    return found.job_id if found else ""


def test_the_oldest_is_taken_first_and_each_once(leases: Leases, add: Add) -> None:
    for key in "cab":
        add(key)
    assert [taken(leases) for _ in range(4)] == ["c", "a", "b", ""]


def test_of_two_knowledge_bases_neither_waits_for_the_other(leases: Leases, add: Add) -> None:
    for n in range(4):
        add(f"a{n}")
    for n in range(2):
        add(f"b{n}", kb=1)
    assert [taken(leases) for _ in range(6)] == ["a0", "b0", "a1", "b1", "a2", "a3"]


def test_a_knowledge_base_with_two_hundred_that_wait_delays_no_other(
    leases: Leases, add: Add, store: JobStore
) -> None:
    for n in range(200):
        add(f"a{n}")
    assert [taken(leases) for _ in range(3)] == ["a0", "a1", "a2"]
    add("b0", kb=1)
    add("b1", kb=1)
    assert [taken(leases) for _ in range(5)] == ["b0", "a3", "b1", "a4", "a5"]


def test_an_attempt_is_a_turn_however_it_ends(leases: Leases, add: Add, store: JobStore) -> None:
    first = add("a0")
    add("a1")
    assert taken(leases) == "a0"
    store.save(replace(first, state=Stage.FAILED))
    add("b0", kb=1)
    assert [taken(leases), taken(leases)] == ["b0", "a1"]


def test_jobs_come_in_the_order_in_which_they_were_accepted_whatever_the_clock_says(
    store: JobStore, kbs: list[KnowledgeBase], add: Add, engine: Engine
) -> None:
    early = add("a", document="d")
    with engine.database.write() as connection:
        ahead = early.created_at + 3_600
        connection.execute(update(jobs).values(created_at=ahead))
    late = add("b", document="d")
    assert late.created_at > ahead
    assert [job.id for job in store.unfinished()] == ["a", "b"]


def test_jobs_of_a_document_come_one_after_the_other(
    leases: Leases, add: Add, store: JobStore
) -> None:
    first, second, other = (
        add("a", document="d"),
        add("b", document="d"),
        add("c", kb=1, document="d"),
    )
    assert [taken(leases) for _ in range(3)] == ["a", "c", ""]
    assert leases.first("b") == "a"
    store.save(replace(first, state=Stage.DONE))
    assert leases.first("b") == "b"
    assert taken(leases) == second.id
    assert other.id == "c"


def test_what_is_put_off_is_taken_later_and_its_document_waits(
    leases: Leases, add: Add, store: JobStore
) -> None:
    first = add("a", document="d")
    add("b", document="d")
    store.save(replace(first, retry_at=4e9))
    assert leases.take() is None
    store.save(replace(first, retry_at=1.0))
    assert taken(leases) == "a"


def test_what_is_being_received_is_nobody_elses(
    leases: Leases, add: Add, store: JobStore, engine: Engine
) -> None:
    job = add("a")
    coming, lease = replace(job, id="b", document_id="e", received=False), new_lease()
    store.add([(coming, Source("b", "b", b""))], lease, 60.0)
    assert [taken(leases), taken(leases)] == ["a", ""]
    with pytest.raises(StoreUnavailable, match="too long"):
        store.receive(["b"], [new_lease()])
    assert taken(leases) == ""
    assert [job.received for job in store.receive(["b", "gone"], [lease])] == [True]
    assert taken(leases) == "b"


def test_a_lease_that_ended_is_taken_over_and_fences_who_had_it(
    engine: Engine, add: Add, store: JobStore
) -> None:
    job = add("a")
    dead, alive = Leases(engine.database, lasts=-1.0), Leases(engine.database)
    [old] = [dead.take()]
    [new] = [alive.take()]
    assert old
    assert new
    assert (old[0], new[0]) == ("a", "a")
    assert dead.prolong({"a": old[1]}, {}) == {"a"}
    assert alive.prolong({"a": new[1]}, {}) == set()
    with pytest.raises(LeaseLost), engine.database.write() as connection:
        permit(*old[:2])(connection)
    with engine.database.write() as connection:
        permit(*new[:2])(connection)
    assert not store.save(replace(job, state=Stage.FAILED), old[1])
    assert store.save(replace(job, state=Stage.DONE), new[1])
    kept = store.get("a")
    assert kept
    assert kept.state is Stage.DONE


def test_a_lease_lasts_while_it_is_prolonged_and_tells_how_far_the_job_is(
    engine: Engine, add: Add, store: JobStore
) -> None:
    job = replace(add("a"), state=Stage.EMBEDDING, done=3, total=7)
    ended, lasting = Leases(engine.database, lasts=-1.0), Leases(engine.database)
    [found] = [ended.take()]
    assert found
    assert lasting.prolong(dict([found[:2]]), {"a": job}) == set()
    assert lasting.take() is None
    kept = store.get("a")
    assert kept
    assert (kept.state, kept.done, kept.total) == (Stage.EMBEDDING, 3, 7)


def test_only_a_lease_that_ended_over_its_work_is_a_lapse(
    engine: Engine, add: Add, store: JobStore
) -> None:
    job, lease = add("a"), new_lease()
    ending, lasting = Leases(engine.database, lasts=-1.0), Leases(engine.database)

    def lapses() -> int:
        kept = store.get("a")
        assert kept
        return kept.lapses

    for ended in (0, 1, 2):
        assert taken(ending) == "a"
        assert lapses() == ended
    [last] = [lasting.take()]
    assert last and last.alone
    assert lapses() == 3
    lasting.end(dict([last[:2]]))  # as a process does that is stopped
    [again] = [lasting.take()]
    assert again
    store.save(replace(job, attempts=1, retry_at=1.0), again[1])
    assert taken(lasting) == "a"
    assert lapses() == 3
    coming = replace(job, id="b", document_id="e", received=False)
    store.add([(coming, Source("b", "b", b""))], lease, -1.0)
    assert taken(lasting) == "b"
    kept = store.get("b")
    assert kept
    assert (kept.received, kept.lapses) == (False, 0)


def lapse_twice(engine: Engine, *keys: str) -> None:
    """Let two processes end over these jobs, which wait."""
    for _ in range(2):
        ending = Leases(engine.database, lasts=-1.0)
        found: set[str] = set()
        for _ in keys:
            found.add(one_of(ending.take(found)).job_id)
        assert found == {*keys}


def test_over_what_processes_may_end_only_one_works_and_only_on_that(
    engine: Engine, leases: Leases, add: Add, store: JobStore
) -> None:
    suspects = [add("a"), add("b")]
    lapse_twice(engine, "a", "b")
    for key in "cd":
        add(key)
    first = one_of(leases.take())
    assert (first.job_id, first.alone) == ("a", True)
    assert [one(store, "a").state, taken(leases), taken(leases)] == [Stage.QUEUED, "c", "d"]
    assert leases.take() is None  # b waits for a
    assert leases.begin(first.job_id, first.lease)
    assert (one(store, "a").state, leases.take()) == (Stage.PARSING, None)
    store.save(replace(suspects[0], state=Stage.DONE))
    assert one_of(leases.take()).job_id == "b"
    assert [one(store, key).lapses for key in "abcd"] == [2, 2, 0, 0]


def test_what_waits_to_be_worked_on_alone_is_not_to_blame(
    engine: Engine, add: Add, store: JobStore
) -> None:
    add("a")
    lapse_twice(engine, "a")
    ending, lasting = Leases(engine.database, lasts=-1.0), Leases(engine.database)
    waits = one_of(ending.take())
    found = one_of(ending.take())
    assert [found.job_id, one(store, "a").lapses] == ["a", 2]
    assert not lasting.begin(waits.job_id, waits.lease)  # lost
    assert lasting.begin(found.job_id, found.lease)
    lasting.end({found.job_id: found.lease})
    assert taken(ending) == "a"
    assert (one_of(lasting.take()).alone, one(store, "a").lapses) == (True, 3)


def test_what_is_worked_on_alone_is_one_of_those_that_may_be(
    engine: Engine, add: Add, store: JobStore
) -> None:
    add("a")
    lapse_twice(engine, "a")
    other = add("b")
    leases = Leases(engine.database, most=1)
    found = one_of(leases.take())
    assert taken(leases) == "b"
    assert not leases.begin(found.job_id, found.lease)
    store.save(replace(other, state=Stage.DONE))
    assert leases.begin(found.job_id, found.lease)
    assert leases.take() is None


def test_leases_are_prolonged_and_ended_by_few_statements(
    engine: Engine, store: JobStore, kbs: list[KnowledgeBase], leases: Leases, add: Add
) -> None:
    add("at work")
    found, lease = one_of(leases.take()), new_lease()
    batch = [replace(queued(kbs[0], f"{n}"), received=False) for n in range(200)]
    store.add([(job, Source(job.id, job.id, b"")) for job in batch], lease, SOON)
    with engine.database.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == "199").values(lease=new_lease()))
    held = {job.id: lease for job in batch} | {found.job_id: found.lease, "gone": new_lease()}
    moved = replace(one(store, found.job_id), state=Stage.EMBEDDING, done=3, total=7)
    with updates_of(engine) as updates:
        assert leases.prolong(held, {found.job_id: moved}) == {"199", "gone"}
    assert len(updates) == 2
    assert one(store, found.job_id).done == 3
    with updates_of(engine) as updates:
        leases.end({job.id: lease for job in batch[:100]})
        store.receive([job.id for job in batch[100:199]], [lease])
    assert len(updates) == 2
    assert [one(store, job.id).received for job in batch] == [False] * 100 + [True] * 99 + [False]


@contextmanager
def updates_of(engine: Engine) -> Iterator[list[str]]:
    """The statements that change rows while the block runs."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE"):
            found.append(statement)

    bind = engine.database._engine
    event.listen(bind, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(bind, "before_cursor_execute", note)


def test_what_is_taken_back_is_lost_to_who_works_on_it(
    leases: Leases, add: Add, store: JobStore, engine: Engine
) -> None:
    add("a")
    [found] = [leases.take()]
    assert found
    store.end(["a"], Stage.CANCELLED)
    assert leases.prolong(dict([found[:2]]), {}) == {"a"}
    with pytest.raises(LeaseLost), engine.database.write() as connection:
        permit(*found[:2])(connection)


def test_no_more_are_worked_on_than_all_may(engine: Engine, add: Add, store: JobStore) -> None:
    waiting = [add(key) for key in "abc"]
    leases = Leases(engine.database, most=2)
    assert [taken(leases) for _ in range(3)] == ["a", "b", ""]
    store.save(replace(waiting[0], state=Stage.DONE))
    assert [taken(leases), taken(leases)] == ["c", ""]


def test_what_this_process_still_works_on_is_left_out(engine: Engine, add: Add) -> None:
    add("a")
    leases = Leases(engine.database, lasts=-1.0)
    assert taken(leases) == "a"
    assert leases.take({"a"}) is None
    assert taken(leases) == "a"


def test_many_that_take_at_once_take_different_ones(engine: Engine, add: Add) -> None:
    for n in range(40):
        add(str(n), kb=n % 2)
    barrier = threading.Barrier(4)

    def take_ten(_: int) -> list[str]:
        leases = Leases(engine.database)
        barrier.wait(SOON)
        return [taken(leases) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        found = [key for part in pool.map(take_ten, range(4)) for key in part]
    assert sorted(found, key=int) == [str(n) for n in range(40)]


def test_who_is_behind_one_that_is_taken_back_keeps_behind_the_one_before(
    leases: Leases, add: Add, store: JobStore
) -> None:
    first, *_ = [add(key, document="d") for key in "abc"]
    store.end(["b"], Stage.CANCELLED)
    assert [taken(leases), taken(leases)] == ["a", ""]
    store.save(replace(first, state=Stage.DONE, document_id="another"))
    assert [taken(leases), taken(leases)] == ["c", ""]


def test_of_several_that_are_over_at_once_those_behind_take_the_places(
    leases: Leases, add: Add, store: JobStore
) -> None:
    first = add("a", document="d")
    for key in "bcd":
        add(key, document="d")
    for key in "efg":
        add(key, document="another")
    assert sorted(store.end(["c", "b", "e", "f", "gone"], Stage.FAILED)) == [*"bcef"]
    assert store.end(["b", "e"], Stage.CANCELLED) == []
    assert [taken(leases) for _ in range(3)] == ["a", "g", ""]
    store.save(replace(first, state=Stage.DONE))
    assert taken(leases) == "d"


def test_what_was_taken_back_meanwhile_is_not_put_off(
    leases: Leases, add: Add, store: JobStore
) -> None:
    job = add("a", document="d")
    [found] = [leases.take()]
    assert found
    add("b", document="d")
    store.end(["a"], Stage.CANCELLED)
    assert not store.save(replace(job, retry_at=4e9), found[1])
    assert one(store, "a").state is Stage.CANCELLED
    assert [taken(leases), taken(leases)] == ["b", ""]


def test_of_those_that_come_at_once_each_is_behind_the_last_of_its_document(
    leases: Leases, add: Add, store: JobStore, kbs: list[KnowledgeBase]
) -> None:
    before = add("a", document="d")
    coming = [queued(kbs[0], key, document) for key, document in ("bd", "ce", "dd", "ee")]
    over = replace(queued(kbs[0], "f", "d"), state=Stage.DONE)
    kept = store.add([(job, Source(job.id, job.id, b"")) for job in (over, *coming)])
    assert [taken(leases) for _ in range(3)] == ["a", "c", ""]
    for job in (before, *kept[1:3]):
        store.save(replace(job, state=Stage.FAILED))
    assert [taken(leases) for _ in range(3)] == ["d", "e", ""]


def test_what_is_taken_is_what_a_look_at_all_that_wait_would_find(
    leases: Leases, add: Add, store: JobStore
) -> None:
    chance, held, made = random.Random(7), dict[str, Job](), count()  # noqa: S311
    turns: Counter[str] = Counter()  # what was taken last of each knowledge base

    def next_of_all() -> str:
        waiting = store.unfinished()
        first = {(job.kb_id, job.document_id): job for job in reversed(waiting)}.values()
        free = [job for job in first if job.id not in held and job.retry_at is None]
        order = sorted(free, key=lambda job: (turns[job.kb_id], job.created_at, job.id))
        return order[0].id if order else ""

    for turn in range(1, 301):
        match chance.choice(["add", "add", "take", "take", "end", "put off", "cancel"]):
            case "add":
                add(f"{next(made)}", kb=chance.randrange(2), document=chance.choice("uvwxyz"))
            case "take":
                expected = next_of_all()
                assert taken(leases) == expected
                if expected:
                    held[expected] = job = one(store, expected)
                    turns[job.kb_id] = turn
            case "cancel" if waiting := store.unfinished():
                job = chance.choice(waiting)
                held.pop(job.id, None)
                store.end([job.id], Stage.CANCELLED)
            case what if held:
                job = held.pop(chance.choice([*held]))
                if what == "put off":
                    job = replace(job, state=Stage.QUEUED, retry_at=4e9)
                else:
                    job = replace(job, state=chance.choice([Stage.DONE, Stage.FAILED]))
                store.save(job)
    assert turns.keys() == {job.kb_id for job in store.newest(1_000)}


def one(store: JobStore, key: str) -> Job:
    found = store.get(key)
    assert found
    return found


def one_of(found: Taken | None) -> Taken:
    assert found
    return found
