import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from starlette.testclient import TestClient

from api import tracing
from retrieval.errors import InvalidRequest
from tests.api.conftest import SERVICE_TEXT, OpenClient

otel = pytest.importorskip("opentelemetry.sdk.trace.export")
QUESTION = "How long does the warranty of the Kestrel last?"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Kept:
    """An exporter that keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[object] = []

    def export(self, spans: Sequence[object]) -> object:
        self.spans += spans
        return otel.SpanExportResult.SUCCESS

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return True


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    kept = Kept()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setattr(tracing, "_exporter", lambda _: kept)
    yield kept


def test_a_request_is_a_trace_with_its_stages(open_client: OpenClient, kept: Kept) -> None:
    client: TestClient = open_client()
    client.put("/kb/kb")
    client.post("/kb/kb/documents?wait=true", json={"text": SERVICE_TEXT, "uri": "a"})
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "X-Request-ID": "r-1"}
    client.post("/kb/kb/ask", json={"question": QUESTION}, headers=headers).raise_for_status()
    client.__exit__(None, None, None)
    spans = [one for one in kept.spans if f"{one.context.trace_id:032x}" == TRACE]  # type: ignore[attr-defined]
    names = {one.name: one for one in spans}  # type: ignore[attr-defined]
    root = names["POST /kb/{kb}/ask"]
    assert root.attributes["http.response.status_code"] == 200  # type: ignore[attr-defined]
    assert root.attributes["footnote.request_id"] == "r-1"  # type: ignore[attr-defined]
    stages = {"search", "search embed", "search dense", "search lexical", "answer draft"}
    for stage in stages:
        span = names[stage]
        assert span.parent.span_id == root.context.span_id, stage  # type: ignore[attr-defined]
        assert root.start_time <= span.start_time <= span.end_time <= root.end_time  # type: ignore[attr-defined]
    told = " ".join(one.to_json() for one in kept.spans)  # type: ignore[attr-defined]
    assert "Kestrel" not in told
    assert "ingest" not in told  # jobs are no part of a request


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_SERVICE_NAME": "x"},
    ],
)
def test_nothing_is_traced_unless_asked_for(environment: dict[str, str]) -> None:
    assert tracing.open_tracing(environment) is None


def test_an_exporter_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'zipkin'"):
        tracing.open_tracing({"OTEL_TRACES_EXPORTER": "zipkin"})


def test_without_variables_no_exporter_is_loaded() -> None:
    exporter = "opentelemetry.exporter.otlp.proto.http"
    code = (
        "import sys; from api.tracing import open_tracing; open_tracing({}); "
        f"print({exporter!r} in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
