"""Calls to servers made by hand that refuse, cut off, and come back."""

import math
import socket
from collections.abc import Mapping

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.standin.server import running
from evaluation.serving_soak.calling import Caller, Downtime, Kind, Log, Lost, Outage, Wrong
from evaluation.serving_soak.faults import Faults

LATER = {"Retry-After": "1"}


def statuses(*given: int, headers: Mapping[str, str] = LATER) -> Starlette:
    """Replies with one after the other, then with 200."""
    left = list(given)

    async def reply(_request: Request) -> Response:
        return Response("{}", left.pop(0) if left else 200, headers)

    return Starlette(routes=[Route("/", reply, methods=["GET", "POST"])])


def caller(url: str, patience: float = 20.0) -> Caller:
    """Of a server that is being restarted, unless its outages are taken away."""
    return Caller([url], patience, Downtime([Outage(url, 0.0)]), Log(), Faults())


def asked(one: Caller, kind: Kind = Kind.SEARCH, method: str = "POST") -> int:
    async def call() -> int:
        return (await one.call(kind, method, "/")).reply.status

    return anyio.run(call)


def test_it_comes_again_until_it_is_answered_and_a_restart_excuses_that() -> None:
    with running(statuses(503, 429, 503)) as url:
        one = caller(url)
        assert asked(one) == 200
    assert one.log.retries == {"503": 2, "429": 1}
    assert not one.faults.counts
    assert not one.log.took  # a restart came upon it


def test_nothing_else_excuses_it() -> None:
    with running(statuses(503, 429)) as url:
        one = caller(url)
        one.downtime.outages.clear()
        assert asked(one) == 200
        assert len(one.log.took[Kind.SEARCH]) == 1
    assert one.faults.counts == {"503": 1}


@pytest.mark.parametrize("status", [500, 502, 504, 404, 409, 422])
def test_no_other_status_is_excused_by_anything(status: int) -> None:
    with running(statuses(status)) as url:
        one = caller(url)
        with pytest.raises(Wrong):
            asked(one)
    [fault] = one.faults.kept
    assert (fault.kind, fault.request, fault.reply) == (f"status {status}", "POST /", "{}")


def test_a_write_that_is_cut_off_is_lost_and_a_question_is_asked_again() -> None:
    for kind, method, lost in (
        (Kind.UPLOAD, "POST", True),
        (Kind.DELETE, "DELETE", True),
        (Kind.ASK, "POST", False),
        (Kind.LOOK, "GET", False),
    ):
        one, cut = cut_off(kind, method)
        assert isinstance(cut, Lost) == lost
        assert one.log.lost == lost
        assert one.log.retries["cut off"] == 1
        assert not one.faults.counts


def cut_off(kind: Kind, method: str) -> tuple[Caller, Exception | None]:
    """By one that closes the first connection, and is nobody then for the second."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = caller(f"http://127.0.0.1:{listening.getsockname()[1]}")

        async def call() -> Exception | None:
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.to_thread.run_sync, closed)
                try:
                    with anyio.move_on_after(2):
                        await one.call(kind, method, "/")
                except Lost as error:
                    return error
            return None

        def closed() -> None:
            listening.accept()[0].close()
            listening.close()

        return one, anyio.run(call)


def test_one_that_is_away_while_no_restart_is_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.serving_soak.calling._AWAY", 0.2)
    one = caller("http://127.0.0.1:1")
    one.downtime.outages.clear()
    with pytest.raises(Wrong):
        asked(one)
    assert one.faults.counts["refused"] == one.log.retries["refused"] > 1
    assert one.faults.counts["away"] == 1


def test_one_that_hangs_is_told_whatever_is_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = caller(f"http://127.0.0.1:{listening.getsockname()[1]}", 0.05)
        with pytest.raises(Lost):
            asked(one)
    assert one.faults.counts == {"no reply": 1}


def test_one_that_does_not_say_when_to_come_again_is_told() -> None:
    with running(statuses(503, headers={})) as url:
        one = caller(url)
        assert asked(one) == 200
    [fault] = one.faults.kept
    assert (fault.kind, fault.what) == ("503", "503 without Retry-After")


def test_others_are_asked_too() -> None:
    with running(statuses()) as first, running(statuses()) as second:
        one = Caller([first, second], 20.0, Downtime(), Log(), Faults())

        async def calls() -> set[str]:
            return {(await one.call(Kind.SEARCH, "POST", "/")).url for _ in range(40)}

        assert anyio.run(calls) == {first, second}


@pytest.mark.parametrize(
    ("spans", "began", "ended", "over"),
    [
        ([], 0.0, 9.0, False),
        ([(2.0, 4.0)], 0.0, 1.0, False),
        ([(2.0, 4.0)], 1.0, 3.0, True),
        ([(2.0, 4.0)], 3.0, 5.0, True),
        ([(2.0, 4.0)], 1.0, 5.0, True),
        ([(2.0, 4.0)], 5.0, 6.0, False),
        ([(2.0, 4.0), (7.0, math.inf)], 8.0, 9.0, True),
    ],
)
def test_what_a_restart_comes_upon(
    spans: list[tuple[float, float]], began: float, ended: float, over: bool
) -> None:
    for url, excused in ((None, over), ("here", over), ("there", False)):
        outages = [Outage(url, *span) for span in spans]
        assert Downtime(outages).overlaps("here", began, ended) is excused
