import re
from pathlib import Path
from typing import Any

import anyio
import pytest
import structlog
import uvicorn

from retrieval.errors import InvalidRequest
from tests.api.commands.conftest import Run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a server would have been started with."""
    seen: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn.Server, "run", lambda server: seen.update(vars(server.config)))
    monkeypatch.setattr(structlog, "configure", lambda **_: None)
    return seen


def test_settings_say_where_and_options_overrule_them(
    run: Run, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOOTNOTE_PORT", "8001")
    monkeypatch.setenv("FOOTNOTE_LOG_LEVEL", "warning")
    result = run("serve", "--host", "::1", "--data", str(tmp_path / "[red]"))
    assert result.exit_code == 0
    assert "[red])" in re.sub(r"\s", "", result.stderr)
    assert (served["host"], served["port"], served["log_level"]) == ("::1", 8001, "warning")
    run("serve", "--port", "0")
    assert (served["host"], served["port"]) == ("127.0.0.1", 0)


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(run: Run, served: dict[str, Any], port: str) -> None:
    assert run("serve", "--port", port).exit_code == 2
    assert served == {}


def test_why_it_cannot_start_is_said_without_a_traceback(
    run: Run, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "ftp://x")
    run("serve")
    told: list[Any] = []

    async def start() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            told.append(message)

        await served["app"]({"type": "lifespan", "state": {}}, receive, send)

    with pytest.raises(InvalidRequest):
        anyio.run(start)
    (message,) = told
    assert message["type"] == "lifespan.startup.failed"
    assert message["message"].startswith("'ftp://x' is no address")
