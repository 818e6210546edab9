"""Logs: to standard error, one event a line, for people or as JSON.

No line holds what people asked or sent. An error that nobody expected is told by its kind and by
where it happened; what it says may quote a document, and is left out unless the level is "debug".
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Literal

import structlog
from structlog.types import EventDict, ExcInfo, Processor, WrappedLogger

from retrieval.printing import escaped

Format = Literal["auto", "console", "json"]

_DEBUG = "debug"


def configure(level: str, how: Format = "console") -> None:
    """Log events from this level on ("debug", "info", "warning", "error").

    "auto" is for people on a terminal, else JSON. What libraries log takes the same way.
    """
    as_json = how == "json" or (how == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _printable,
    ]
    rendered: list[Processor] = [
        structlog.processors.ExceptionRenderer(_told if level == _DEBUG else _where),
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    ]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever that is by then
    )
    own = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[own, *rendered]
    )
    _take(formatter, number)


def _take(formatter: logging.Formatter, level: int) -> None:
    """Write what libraries log; the server all, the others what is amiss: httpx logs addresses."""
    root = logging.getLogger()
    for handler in [*root.handlers]:
        if isinstance(handler, _Handler):
            root.removeHandler(handler)
    taking = _Handler()
    taking.setFormatter(formatter)
    root.addHandler(taking)
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("uvicorn").setLevel(level)


class _Handler(logging.StreamHandler[Any]):
    """Writes to standard error, whatever that is by then."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _printable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Of what a stranger chose, such as a path, nothing moves the cursor or begins a new line."""
    return {name: escaped(one) if isinstance(one, str) else one for name, one in event.items()}


def _told(exc_info: ExcInfo) -> str:
    return "".join(traceback.format_exception(*exc_info)).rstrip()


def _where(exc_info: ExcInfo) -> str:
    return "\n".join(_steps(exc_info[1], exc_info[2])).rstrip()


def _steps(error: BaseException, at: TracebackType | None) -> Iterator[str]:
    """The way to an error and to those behind it, the first one first, without their words."""
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None:
        yield from _steps(behind, behind.__traceback__)
        yield "which led to:"
    yield "".join(traceback.format_tb(at)) + f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield "among them:"
            yield from _steps(one, one.__traceback__)
