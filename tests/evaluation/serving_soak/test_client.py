"""Over real connections to a knowledge base made by hand: what keeps to its word has no fault,
and each lie is seen.
"""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from evaluation.serving_soak.calling import Caller, Downtime, Kind, Log, Lost, Told
from evaluation.serving_soak.client import Client
from evaluation.serving_soak.ending import check_inventory
from evaluation.serving_soak.faults import Faults
from evaluation.serving_soak.ledger import Ledger
from evaluation.serving_soak.library import Library
from tests.evaluation.serving_soak.conftest import FakeBase, Soak

Open = Callable[[FakeBase], Soak]
_ACTS = 60


def acted(clients: list[Client], acts: int = _ACTS) -> None:
    async def run() -> None:
        for client in clients:
            await client.run(lambda client=client: client.acts >= acts)  # type: ignore[misc]

    anyio.run(run)


def test_what_keeps_to_its_word_has_no_fault(opened: Open) -> None:
    fake = FakeBase()
    soak = opened(fake)
    clients = soak.clients(2)
    acted(clients)
    assert soak.faults.kept == []
    assert all(client.written > 5 and client.removed > 2 for client in clients)
    assert {method for method, _, _ in fake.sent} == {"POST", "PUT", "DELETE"}
    assert anyio.run(check_inventory, soak.library, clients) == len(fake.documents)
    assert soak.faults.kept == []
    assert not soak.log.retries
    assert {kind.value: len(took) for kind, took in soak.log.took.items()}["ask"] > 20


def test_the_same_is_sent_by_the_same_seed(opened: Open) -> None:
    fakes = FakeBase(), FakeBase(), FakeBase()
    for fake, seed in zip(fakes, (0, 0, 1), strict=True):
        acted(opened(fake).clients(1, seed))
    assert fakes[0].sent == fakes[1].sent != fakes[2].sent


@pytest.mark.parametrize(
    ("lie", "kind", "said"),
    [
        ("loses writes", "lost write", "has no text"),
        ("fails jobs", "lost write", "an accepted job failed"),
        ("forgets jobs", "lost write", "an accepted job is gone"),
        ("never ends", "endless", "a job isn't over after 0.3 s"),
        ("can't delete", "lost write", "can't be deleted"),
        ("keeps old", "wrong text", "it should be"),
        ("half a text", "wrong text", "it should be"),
        ("moved spans", "wrong text", "the footnote quotes"),
        ("keeps deleted", "undead", "is still there"),
        ("finds deleted", "untrue", "was deleted, or said otherwise"),
        ("finds old", "not found", "of soak/"),
        ("finds nothing", "not found", "of soak/"),
        ("misquotes", "untrue", "never said this"),
        ("invents", "untrue", "was never sent"),
        ("unverified", "unverified", "isn't"),
        ("quotes another", "wrong answer", "of soak/"),
        ("abstains", "no answer", "of soak/"),
        ("upload 500", "status 500", "status 500"),
        ("search 500", "status 500", "status 500"),
        ("search 503", "503", "503 while no restart was on"),
        ("no JSON", "malformed", "malformed reply"),
        ("no text", "malformed", "malformed reply: hits.0.version: Field required"),
        ("two jobs", "malformed", "not one job"),
    ],
)
def test_each_lie_is_seen(
    opened: Open, lie: str, kind: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.serving_soak.library._PUT_OFF", 0.3)
    fake = FakeBase(lie)
    soak = opened(fake)
    acted(soak.clients(1), 10 if lie == "never ends" else _ACTS)
    found = [fault for fault in soak.faults.kept if fault.kind == kind and said in fault.what]
    assert found, soak.faults.counts
    assert all(fault.request for fault in found)
    assert soak.faults.counts[kind] >= len(found)


@pytest.mark.parametrize(
    ("lie", "kind"), [("lists twice", "doubled"), ("", "lost write"), ("", "undead")]
)
def test_what_is_there_in_the_end_is_looked_at(opened: Open, lie: str, kind: str) -> None:
    fake = FakeBase(lie)
    soak = opened(fake)
    clients = soak.clients(1)
    acted(clients, 10)
    assert clients[0].held
    if kind == "lost write":
        del fake.documents[clients[0].held[0].id]
    elif kind == "undead":
        fake.documents["x"] = {"uri": "soak/0/999", "text": "x"}
    anyio.run(check_inventory, soak.library, clients)
    assert list(soak.faults.counts) == [kind]


class Dropping(Caller):
    """Every third write is lost, before or after it is done; `hurt` is done to it then."""

    def __init__(self, url: str, *, after: bool, hurt: Callable[[str], None]) -> None:
        super().__init__([url], 20.0, Downtime(), Log(), Faults())
        self._after, self._hurt, self._writes = after, hurt, 0

    async def call(
        self, kind: Kind, method: str, path: str, value: Any = None, *allowed: int
    ) -> Told:
        if kind not in (Kind.UPLOAD, Kind.UPDATE, Kind.DELETE):
            return await super().call(kind, method, path, value, *allowed)
        self._writes += 1
        if self._writes % 3:
            return await super().call(kind, method, path, value, *allowed)
        if self._after:
            await super().call(kind, method, path, value, *allowed)
        self._hurt(method)
        raise Lost


@pytest.fixture
def dropped(opened: Open) -> Callable[..., tuple[Faults, list[Client]]]:
    """Clients of a knowledge base that loses every third write, when they have acted."""

    def act(fake: FakeBase, *, after: bool, hurt: Any = lambda _: None) -> Any:
        url = opened(fake).library.caller.urls[0]
        caller = Dropping(url, after=after, hurt=hurt)
        library = Library(caller, Ledger(), "kb")
        clients = [Client(0, 0, 4, library)]
        acted(clients)
        anyio.run(check_inventory, library, clients)
        return caller.faults, clients

    return act


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_write_may_be_there_or_not(dropped: Any, after: bool) -> None:
    fake = FakeBase()
    faults, [client] = dropped(fake, after=after)
    assert faults.kept == []
    assert client.written > 5
    assert client.removed > 2
    assert sorted(one["uri"] for one in fake.documents.values()) == sorted(
        held.writing.uri for held in client.held
    )
    undisturbed = FakeBase()
    again, [other] = dropped(undisturbed, after=not after)
    assert [held.writing for held in other.held] == [held.writing for held in client.held]
    assert not again.kept


def test_a_lost_write_may_not_be_there_in_part(dropped: Any) -> None:
    fake = FakeBase()

    def cut(_method: str) -> None:
        for one in fake.documents.values():
            one["text"] = one["text"][:20]

    faults, [client] = dropped(fake, after=True, hurt=cut)
    assert faults.counts["in part"]
    assert client.given_up


def test_a_lost_update_may_not_take_the_document_with_it(dropped: Any) -> None:
    fake = FakeBase()

    def clear(method: str) -> None:
        if method == "PUT":
            fake.documents.clear()

    faults, _ = dropped(fake, after=False, hurt=clear)
    assert any("gone after an update" in one.what for one in faults.kept)
