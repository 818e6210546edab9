import re
import socket
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

    def run(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        seen.update(vars(server.config), addresses=[one.getsockname()[:2] for one in sockets])
        for one in sockets:
            one.close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(structlog, "configure", lambda **_: None)
    return seen


def test_settings_say_where_and_options_overrule_them(
    run: Run, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("FOOTNOTE_PORT", str(port))
    monkeypatch.setenv("FOOTNOTE_LOG_LEVEL", "warning")
    result = run("serve", "--host", "::1", "--data", str(tmp_path / "[red]"))
    assert result.exit_code == 0
    assert "[red])" in re.sub(r"\s", "", result.stderr)
    assert (served["addresses"], served["log_level"]) == ([("::1", port)], "warning")
    result = run("serve", "--port", "0")
    [(host, port)] = served["addresses"]
    assert f"http://{host}:{port}" in result.stderr


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
