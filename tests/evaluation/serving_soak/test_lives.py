"""With children that do what a server may do."""

import sys
from functools import partial

import anyio
import pytest

from evaluation.errors import LoadError
from evaluation.exchange import exchange
from evaluation.serving_bench.server import own_server
from evaluation.serving_soak.calling import Downtime
from evaluation.serving_soak.lives import Lives, moments

SERVES = """
import sys, threading
from http.server import HTTPServer, SimpleHTTPRequestHandler
port = int(sys.argv[sys.argv.index('--port') + 1])
server = HTTPServer(('127.0.0.1', port), SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
"""
ENDS = "import sys; print('broken'); sys.exit(4)"


def ready(url: str) -> None:
    try:
        anyio.run(exchange, "GET", url)
    except OSError as error:
        raise LoadError(str(error)) from error


def test_it_is_killed_and_comes_back_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.serving_soak.lives._LOOK", 0.02)
    downtime, told = Downtime(), list[int]()
    with own_server((sys.executable, "-c", SERVES)) as server:
        server.wait_until(partial(ready, server.url), 60)
        lives = Lives(server, partial(ready, server.url), downtime)
        anyio.run(lives.watch, [0.1, 0.2], 2.0, told.append)
        ready(server.url)
    assert len(lives.all) == 3
    assert lives.all[0].recovery is None
    recoveries = [life.recovery for life in lives.all[1:]]
    assert recoveries == pytest.approx(
        [one.ended - one.began for one in downtime.outages], abs=0.05
    )
    assert told[-1] == 2
    if sys.platform == "linux":
        assert all(megabytes > 0 for life in lives.all for _, megabytes in life.samples)
        assert lives.all[0].samples


def test_one_that_ends_by_itself_is_told() -> None:
    with own_server((sys.executable, "-c", ENDS)) as server:
        lives = Lives(server, lambda: None, Downtime())
        with pytest.raises(LoadError, match="ended with status 4: broken"):
            anyio.run(lives.watch, [], 60.0, lambda _: None)


@pytest.mark.parametrize("kills", [0, 1, 3, 50])
def test_kills_are_spread_over_the_time(kills: int) -> None:
    found = moments(10, kills, 0)
    assert found == sorted(found) == moments(10, kills, 0)
    assert all(0 < moment < 600 for moment in found)
    lives = [b - a for a, b in zip([0, *found], [*found, 600], strict=True)]
    assert min(lives) > 0.5 * 600 / (kills + 1)
    if kills:
        assert found != moments(10, kills, 1)
