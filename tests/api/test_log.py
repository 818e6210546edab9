import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from api import request_ids
from api.log import Format, configure

SENT = "what was sent"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    # A server that ran in this process has silenced it.
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
    yield
    structlog.reset_defaults()


def test_events_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure("warning")
    log = structlog.get_logger()
    log.info("small")
    log.warning("big", path="/kb/文档")
    printed = capsys.readouterr()
    assert "big" in printed.err
    assert "/kb/文档" in printed.err
    assert "small" not in printed.err
    assert printed.out == ""


def test_an_error_is_logged_without_what_people_sent(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    try:
        len_of_number(SENT)
    except ValueError:
        structlog.get_logger().exception("failed")
    printed = capsys.readouterr().err
    assert "ValueError" in printed
    assert ", in len_of_number" in printed
    assert "what was sent" not in printed


def test_with_debug_an_error_says_what_it_has_to(capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug")
    try:
        len_of_number(SENT)
    except ValueError:
        structlog.get_logger().exception("failed")
    assert f"ValueError: {SENT}" in capsys.readouterr().err


def test_errors_behind_an_error_are_told_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    try:
        try:
            len_of_number(SENT)
        except ValueError as error:
            raise ExceptionGroup(SENT, [KeyError(SENT)]) from error
    except ExceptionGroup:
        structlog.get_logger().exception("failed")
    told = json.loads(capsys.readouterr().err)["exception"]
    kinds = ("ValueError", "which led to:", "ExceptionGroup", "among them:", "builtins.KeyError")
    assert sorted(kinds, key=told.index) == list(kinds)
    assert "what was sent" not in told


def test_json_is_a_line_an_event_whoever_logs(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    with request_ids.known("r-1"):
        structlog.get_logger().info("ours", path="/kb/文档")
        logging.getLogger("uvicorn.error").info("theirs: %s", "started")
        logging.getLogger("httpx").info("HTTP Request: GET /?q=%s", SENT)
        try:
            len_of_number(SENT)
        except ValueError:
            logging.getLogger("uvicorn.error").exception("broken")
    ours, theirs, broken = map(json.loads, capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["path"], ours["level"]) == ("ours", "/kb/文档", "info")
    assert (theirs["event"], broken["event"]) == ("theirs: started", "broken")
    assert {line["request_id"] for line in (ours, theirs, broken)} == {"r-1"}
    assert "ValueError" in broken["exception"]
    assert SENT not in str(broken)


def test_auto_is_json_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "auto")
    structlog.get_logger().info("told")
    assert json.loads(capsys.readouterr().err)["event"] == "told"


def len_of_number(question: str) -> int:
    if not question.isdecimal():
        raise ValueError(question)
    return len(question)


@pytest.mark.parametrize("how", ["console", "json"])
def test_no_path_commands_the_terminal_or_begins_a_line(
    capsys: pytest.CaptureFixture[str], how: Format
) -> None:
    configure("info", how)
    structlog.get_logger().info("request", path="/\x1b[2J\x9b1m\n2026 forged 文档")
    logging.getLogger("elsewhere").warning("of %s", "\x1b[2J\r2026 forged")
    printed = capsys.readouterr().err
    assert len(printed.splitlines()) == 2
    assert "文档" in printed and "forged" in printed
    assert not any(command in printed for command in ("\x1b[2J", "\x9b", "\r"))
