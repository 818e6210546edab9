from collections.abc import Iterator

import pytest
import structlog

from api.log import configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
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
        len_of_number("the secret question")
    except ValueError:
        structlog.get_logger().exception("failed")
    printed = capsys.readouterr().err
    assert "ValueError: 19" in printed
    assert "secret" not in printed.replace('len_of_number("the secret question")', "")


def len_of_number(question: str) -> int:
    if not question.isdecimal():
        raise ValueError(len(question))
    return len(question)
