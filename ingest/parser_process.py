"""The process that reads files: `python -m ingest.parser_process`, one task after another.

    parent -> child   a task, then the bytes of the file
    child  -> parent  a reply: the text and its anchors, boxes, the scale of a picture, or why
                      there are none; then the bytes of the picture, none of any other reply

Each is a length and as many bytes; tasks and replies are JSON and not pickle, so a process that
a hostile file took over can hand on nothing but values.
"""

import os
import signal
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Annotated, Literal

from pydantic import Field, TypeAdapter

from ingest import parsers
from ingest.errors import IngestError
from ingest.types import PageBoxes, Parsed, ParseLimits
from retrieval.types import Box, Page

if sys.platform != "win32":
    import resource

_LENGTH = struct.Struct("!Q")
_MEMORY = 4 * 2**30  # bytes of address space; a filing of 400 pages takes a tenth of it


@dataclass(frozen=True, slots=True)
class ParseTask:
    """Make canonical text of a file."""

    name: str
    media_type: str | None
    limits: ParseLimits
    task: Literal["parse"] = "parse"


@dataclass(frozen=True, slots=True)
class BoxesTask:
    """Find a span of the canonical text on a page of a PDF."""

    name: str
    page: Page
    start: int
    end: int
    task: Literal["boxes"] = "boxes"


@dataclass(frozen=True, slots=True)
class PictureTask:
    """Draw a page of a PDF, with these boxes marked."""

    name: str
    number: int
    scale: float
    boxes: tuple[Box, ...]
    task: Literal["picture"] = "picture"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The name of an `IngestError` and its message."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a task: exactly one of these, and the bytes that follow it."""

    parsed: Parsed | None = None
    boxes: PageBoxes | None = None
    scale: float | None = None
    refusal: Refusal | None = None
    data: Annotated[bytes, Field(exclude=True)] = b""


Task = ParseTask | BoxesTask | PictureTask
TASK: TypeAdapter[Task] = TypeAdapter(Annotated[Task, Field(discriminator="task")])
REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)


def send(pipe: IO[bytes], *parts: bytes) -> None:
    """Write each part with its length before it."""
    for part in parts:
        pipe.write(_LENGTH.pack(len(part)))
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes:
    """The next part. Raises EOFError when the other side is gone."""
    [length] = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return _exactly(pipe, length)


def main() -> None:
    """Answer tasks until the parent closes its pipes, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it closes the pipe
    if sys.platform != "win32":
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        soft = _MEMORY if most == resource.RLIM_INFINITY else min(_MEMORY, most)
        resource.setrlimit(resource.RLIMIT_AS, (soft, most))
    # A parent that is gone reads nothing, neither what is sent nor what closing would still write.
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as outbox:
        os.dup2(2, 1)  # what a library prints must not be taken for a reply
        _answer(sys.stdin.buffer, outbox)


def _answer(inbox: IO[bytes], outbox: IO[bytes]) -> None:
    while True:
        try:
            task, data = TASK.validate_json(receive(inbox)), receive(inbox)
        except EOFError:
            return
        reply = _reply(task, data)
        send(outbox, REPLY.dump_json(reply), reply.data)


def _reply(task: Task, data: bytes) -> Reply:
    try:
        if isinstance(task, BoxesTask):
            return Reply(boxes=parsers.boxes(data, task.name, task.page, task.start, task.end))
        if isinstance(task, PictureTask):
            drawn = parsers.picture(data, task.name, task.number, task.scale, task.boxes)
            return Reply(scale=drawn.scale, data=drawn.png)
        return Reply(parsed=parsers.parse(data, task.name, task.media_type, task.limits))
    except IngestError as error:
        return Reply(refusal=Refusal(type(error).__name__, str(error)))
    except MemoryError:
        message = f"{task.name} needs more than {_MEMORY:,} bytes of memory to be read. Split it."
        return Reply(refusal=Refusal("TooLarge", message))


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


if __name__ == "__main__":
    main()
