"""Children that do what a server may do."""

import sys
from pathlib import Path

import pytest

from evaluation.errors import LoadError
from evaluation.serving_bench.server import Elsewhere, OwnServer, own_server

UNTIL_THE_INPUT_ENDS = "import sys; sys.stdin.read()"


def command(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def never() -> None:
    raise LoadError("no reply")


def test_it_is_told_where_to_listen_and_what_leads_out_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOOTNOTE_CHROMA_URL", "http://others:8000")
    monkeypatch.setenv("FOOTNOTE_SYNC", "kb=/home")
    monkeypatch.setenv("FOOTNOTE_CHAT_MODEL", "tiny")
    names = ("FOOTNOTE_CHROMA_URL", "FOOTNOTE_SYNC", "FOOTNOTE_CHAT_MODEL")
    code = f"import os, sys; sys.exit(repr((sys.argv[1:], [os.environ[n] for n in {names}])))"
    server = OwnServer(command(code), tmp_path)
    port = server.url.removeprefix("http://127.0.0.1:")
    given = ["--host", "127.0.0.1", "--port", port, "--data", str(tmp_path / "data")]
    with pytest.raises(LoadError) as caught:
        server.check(60)
    server.close()
    told = str(caught.value)
    assert told == f"The server ended with status 1: {(given, ['', '', 'tiny'])!r}"


def test_why_it_ended_is_the_last_complaint_not_the_last_line(tmp_path: Path) -> None:
    code = (
        "import json, sys; print('Footnote: http://x'); "
        "log = lambda level, event: print(json.dumps({'level': level, 'event': event})); "
        "log('error', 'no such model'); log('info', '200 OK'); "
        "log('error', 'Application startup failed. Exiting.'); sys.exit(3)"
    )
    server = OwnServer(command(code), tmp_path)
    with pytest.raises(LoadError, match=r"The server ended with status 3: no such model$"):
        server.check(60)
    server.close()


def test_one_that_ends_is_not_waited_for() -> None:
    with (
        pytest.raises(LoadError, match="ended with status 4: broken"),
        own_server(command("import sys; print('broken'); sys.exit(4)")) as server,
    ):
        server.wait_until(never)


def test_one_that_never_is_ready_is_given_up() -> None:
    with (
        pytest.raises(LoadError, match=r"Not ready within 0\.01 s: no reply"),
        own_server(command(UNTIL_THE_INPUT_ENDS)) as server,
    ):
        server.wait_until(never, 0.01)


def test_it_is_gone_with_its_folder_when_the_block_ends(tmp_path: Path) -> None:
    where = tmp_path / "where"
    code = f"import pathlib, sys; pathlib.Path({str(where)!r}).write_text(sys.argv[-1]); "
    with (
        pytest.raises(KeyboardInterrupt),
        own_server(command(code + UNTIL_THE_INPUT_ENDS)) as server,
    ):
        server.wait_until(lambda: None if where.exists() and where.read_text() else never())
        server.check()
        memory, peak = server.memory(), server.peak_memory()
        if sys.platform == "linux":
            assert memory is not None and peak is not None
            assert 0 < memory <= peak
        raise KeyboardInterrupt
    with pytest.raises(LoadError, match="ended with status 0"):
        _status(server)
    assert not Path(where.read_text()).parent.exists()


def test_nothing_is_known_of_one_elsewhere() -> None:
    server = Elsewhere("http://h")
    server.check()
    assert server.memory() is server.peak_memory() is None


def _status(server: OwnServer) -> None:
    server._log.parent.mkdir()
    server._log.touch()
    try:
        server.check()
    finally:
        server._log.unlink()
        server._log.parent.rmdir()
