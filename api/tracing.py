"""Traces by OpenTelemetry, where the standard OTEL_* variables ask for them; else none of it is
loaded, and nothing is sent.

A span a request, and below it those of its stages. None carries what was asked or sent: names,
the route, the status and the request's id. The provider is ours alone, so what libraries would
trace by the global one, query strings among it, isn't.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import Scope

from api.version import VERSION
from retrieval.errors import InvalidRequest
from retrieval.observing import Observer
from retrieval.types import Answer, Mode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

Ended = Callable[[str, int, str], None]
"""Told the route, the status and the id of a request."""

_EXPORTER = "OTEL_TRACES_EXPORTER"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Tracing:
    """Spans of requests, and of what an observer is told while one is answered."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._api, self._provider = trace, provider
        self._tracer = provider.get_tracer("footnote", VERSION)
        self._carried = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Ended]:
        """A span for as long as the block lasts, a part of the client's trace if it names one."""
        headers = Headers(scope=scope)
        carrier = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        with self._tracer.start_as_current_span(
            scope["method"][:16],
            context=self._carried.extract(carrier),
            kind=self._api.SpanKind.SERVER,
            attributes={"http.request.method": scope["method"][:16]},
            record_exception=False,  # its message may quote what was sent
            set_status_on_exception=False,
        ) as span:

            def ended(route: str, status: int, request_id: str) -> None:
                span.update_name(f"{scope['method'][:16]} {route}")
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                span.set_attribute("footnote.request_id", request_id)
                if status >= 500:
                    span.set_status(self._api.StatusCode.ERROR)

            yield ended

    def took(self, name: str, seconds: float) -> None:
        """A span that ends now, where it is a part of a request."""
        if self._api.get_current_span().get_span_context().is_valid:
            now = time.time_ns()
            self._tracer.start_span(name, start_time=now - int(seconds * 1e9)).end(now)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


class Traced:
    """An observer whose stages are spans too."""

    def __init__(self, observer: Observer, tracing: Tracing) -> None:
        self._observer, self._tracing = observer, tracing

    def took(self, work: str, stage: str, seconds: float) -> None:
        self._observer.took(work, stage, seconds)
        self._tracing.took(f"{work} {stage}", seconds)

    def searched(self, mode: Mode, seconds: float) -> None:
        self._observer.searched(mode, seconds)
        self._tracing.took("search", seconds)

    def answered(self, answer: Answer) -> None:
        self._observer.answered(answer)

    def unanswered(self) -> None:
        self._observer.unanswered()

    def ingested(self, outcome: str) -> None:
        self._observer.ingested(outcome)


def open_tracing(environment: Mapping[str, str] = os.environ) -> Tracing | None:
    """What traces as the environment says; None where it says nothing. Raises InvalidRequest."""
    kind = environment.get(_EXPORTER, "")
    asked = kind or any(environment.get(name) for name in _ENDPOINTS)
    if not asked or kind == "none" or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        exporter = _exporter(kind or "otlp")
    except ImportError as error:
        raise InvalidRequest(
            f"OTEL_* variables ask for traces, and {error.name} isn't there: pip install -e "
            f"'.[otel]', or set OTEL_SDK_DISABLED=true."
        ) from error
    about = {"service.name": "footnote", "service.version": VERSION}
    named = {"service.name": name} if (name := environment.get("OTEL_SERVICE_NAME")) else {}
    provider = TracerProvider(resource=Resource.create({**about, **named}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)


def _exporter(kind: str) -> "SpanExporter":
    if kind == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    if kind == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    raise InvalidRequest(f"{_EXPORTER} is {kind!r}; there are otlp (over HTTP), console, none.")
