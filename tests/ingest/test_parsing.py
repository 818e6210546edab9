import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import pytest

from ingest import parsers, parsing
from ingest.errors import (
    DamagedDocument,
    EmptyDocument,
    IngestError,
    ParserStopped,
    TooLarge,
    UnsupportedMedia,
)
from ingest.parser_process import send
from ingest.parsing import InProcessParser, ProcessParser
from ingest.types import ParseLimits
from retrieval.types import Box
from tests.ingest.parsers.builders import pdf, word

NewParser = Callable[..., ProcessParser]
Process = subprocess.Popen[bytes]

MARKDOWN = "# 标题 🙂\n\nText é 𠀀.\n".encode()


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The worker processes, in the order in which they are started."""
    started: list[Process] = []
    start = subprocess.Popen

    def recorded(*args: Any, **kwargs: Any) -> Process:
        started.append(start(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", recorded)
    return started


@pytest.fixture
def new_parser(processes: list[Process]) -> Iterator[NewParser]:
    """Makes parsers with these limits, closed at the end."""
    made: list[ProcessParser] = []

    def new(**limits: Any) -> ProcessParser:
        made.append(ProcessParser(ParseLimits(**limits)))
        return made[-1]

    yield new
    for parser in made:
        parser.close()
    assert all(process.poll() is not None for process in processes)


def test_another_process_parses_just_as_this_one(
    new_parser: NewParser, processes: list[Process]
) -> None:
    parser, here = new_parser(), InProcessParser(ParseLimits())
    files = (
        (MARKDOWN, "a.md", None),
        (b"plain", "uri without extension", "text/plain"),
        (pdf([["One"], ["Two"]], title="T", outline=[("One", 0)]), "a.pdf", None),
        (word(title="Word"), "a.docx", None),
        ("很长的文件。\n".encode() * 100_000, "long.txt", None),
    )
    for data, name, media_type in files:
        assert parser.parse(data, name, media_type) == here.parse(data, name, media_type)
    assert len(processes) == 1


REFUSED: list[tuple[bytes, str, dict[str, Any], type[IngestError]]] = [
    (b" ", "a.txt", {}, EmptyDocument),
    (b"\x7fELF\x02\x01\x01\0\0\0\0", "program", {}, UnsupportedMedia),
    (b"%PDF-1.7 nothing more", "a.pdf", {}, DamagedDocument),
    (b"four", "a.txt", {"characters": 3}, TooLarge),
    (pdf([["One"], ["Two"]]), "a.pdf", {"pages": 1}, TooLarge),
]


@pytest.mark.parametrize(("data", "name", "limits", "kind"), REFUSED)
def test_an_error_crosses_with_its_kind_and_message(
    new_parser: NewParser, data: bytes, name: str, limits: dict[str, Any], kind: type[IngestError]
) -> None:
    parser = new_parser(**limits)
    with pytest.raises(kind) as here:
        InProcessParser(ParseLimits(**limits)).parse(data, name)
    with pytest.raises(kind) as there:
        parser.parse(data, name)
    assert (type(there.value), str(there.value)) == (type(here.value), str(here.value))
    assert parser.parse(b"ok", "b.txt").text == "ok"


def test_a_parser_that_dies_while_reading_costs_one_file(
    new_parser: NewParser, processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = new_parser()

    def send_and_die(pipe: IO[bytes], *parts: bytes) -> None:
        processes[-1].send_signal(signal.SIGSTOP)
        send(pipe, *parts)
        processes[-1].kill()

    with monkeypatch.context() as patch:
        patch.setattr(parsing, "send", send_and_die)
        with pytest.raises(ParserStopped, match=r"died while it read deadly\.md"):
            parser.parse(MARKDOWN, "deadly.md")
    assert parser.parse(MARKDOWN, "a.md") == parsers.parse(MARKDOWN, "a.md")
    assert len(processes) == 2


def test_a_parser_that_died_between_two_files_is_replaced_unnoticed(
    new_parser: NewParser, processes: list[Process]
) -> None:
    parser = new_parser()
    parser.parse(b"one", "a.txt")
    processes[0].kill()
    processes[0].wait()
    assert parser.parse(b"two", "b.txt").text == "two"


def test_a_program_that_never_works_stops_each_file(
    new_parser: NewParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    parser = new_parser()
    for _ in range(2):
        with pytest.raises(ParserStopped, match=r"died while it read a\.txt"):
            parser.parse(b"x" * 1_000_000, "a.txt")


def test_a_file_that_takes_too_long_is_given_up(
    new_parser: NewParser, processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "_LOOK", 0.01)
    parser = new_parser(seconds=0.01)  # no interpreter starts as fast
    for number in range(2):
        with pytest.raises(ParserStopped, match=r"slow\.txt took longer than 0\.01 s"):
            parser.parse(b"text", "slow.txt")
        assert processes[number].poll() == -signal.SIGKILL


@pytest.mark.usefixtures("never_answers")
def test_a_file_that_nobody_wants_any_more_is_given_up(
    new_parser: NewParser, processes: list[Process]
) -> None:
    def taken_back() -> None:
        raise LookupError("taken back")

    with pytest.raises(LookupError, match="taken back"):
        new_parser().parse(b"text", "a.txt", None, taken_back)
    assert processes[0].poll() == -signal.SIGKILL


def test_a_reply_that_was_not_read_is_never_taken_for_the_next(
    new_parser: NewParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(pipe: IO[bytes]) -> bytes:
        raise MemoryError

    parser = new_parser()
    with monkeypatch.context() as patch:
        patch.setattr(parsing, "receive", fail)
        with pytest.raises(MemoryError):
            parser.parse(b"first", "a.txt")
    assert parser.parse(b"second", "b.txt").text == "second"


def test_a_closed_parser_leaves_no_process_and_starts_none(
    new_parser: NewParser, processes: list[Process]
) -> None:
    parser = new_parser()
    parser.parse(b"one", "a.txt")
    parser.close()
    parser.close()
    assert [process.poll() for process in processes] == [-signal.SIGKILL]
    with pytest.raises(ParserStopped, match="closed"):
        parser.parse(b"two", "b.txt")


@pytest.mark.usefixtures("never_answers")
def test_closing_waits_for_no_file(new_parser: NewParser, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def telling(*args: Any) -> None:
        send(*args)
        asked.set()

    monkeypatch.setattr(parsing, "send", telling)
    parser = new_parser()
    with ThreadPoolExecutor(1) as pool:
        parsed = pool.submit(parser.parse, b"text", "a.txt")
        assert asked.wait(30)
        parser.close()
        with pytest.raises(ParserStopped, match="died"):
            parsed.result(30)


def test_boxes_cross_too(new_parser: NewParser) -> None:
    data = pdf([["First page"], ["Second page"]])
    parser = new_parser()
    page = parser.parse(data, "a.pdf").pages[1]
    found = parser.boxes(data, "a.pdf", page, page.start, page.end)
    assert found == parsers.boxes(data, "a.pdf", page, page.start, page.end)
    assert {box.page for box in found.boxes} == {page.number}


def test_pictures_cross_as_they_are_and_leave_the_pipe_clean(new_parser: NewParser) -> None:
    data = pdf([["First page"], ["Second page"]])
    parser = new_parser()
    mark = (Box(2, 70, 70, 140, 90),)
    drawn = parser.picture(data, "a.pdf", 2, 0.5, mark)
    assert drawn == parsers.picture(data, "a.pdf", 2, 0.5, mark)
    with pytest.raises(DamagedDocument, match=r"Page 3 of a\.pdf"):
        parser.picture(data, "a.pdf", 3, 0.5)
    assert parser.parse(MARKDOWN, "a.md") == parsers.parse(MARKDOWN, "a.md")


def test_nobody_waits_behind_a_file_that_takes_long(
    new_parser: NewParser, processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "_PATIENCE", 0.2)
    parser = new_parser()
    parser.parse(MARKDOWN, "warm.md")
    [first] = processes
    first.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(parser.parse, MARKDOWN, "slow.md")
        try:
            deadline = threading.Event()
            while parser._idle and not deadline.wait(0.01):
                pass
            assert parser.parse(MARKDOWN, "quick.md").text.startswith("# 标题")
            assert not slow.done()
        finally:
            first.send_signal(signal.SIGCONT)
        assert slow.result(30).text.startswith("# 标题")
    assert len(processes) == 2
    assert sum(process.poll() is None for process in processes) == 1
