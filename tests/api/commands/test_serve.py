import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
import structlog
import uvicorn
from starlette.types import ASGIApp, Message

from api import application
from api.connections import IDLE_SECONDS, Connection
from api.standin.server import create_standin, running
from retrieval.errors import InvalidRequest, ModelUnavailable
from tests.api.commands.conftest import Run


@pytest.fixture
def ollama() -> Iterator[str]:
    """What is no Footnote server; begun before no server runs any more."""
    with running(create_standin()) as url:
        yield url


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


def test_uvicorn_closes_no_connection_earlier_than_the_protocol(
    run: Run, served: dict[str, Any]
) -> None:
    run("serve", "--port", "0")
    assert served["http"] is Connection
    assert served["timeout_keep_alive"] >= IDLE_SECONDS


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(run: Run, served: dict[str, Any], port: str) -> None:
    assert run("serve", "--port", port).exit_code == 2
    assert served == {}


def why_it_cannot_start(app: ASGIApp) -> str:
    """What the application tells the server when it is to start."""
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        told.append(message)

    with suppress(InvalidRequest, ModelUnavailable, ArithmeticError):
        anyio.run(app, {"type": "lifespan", "state": {}}, receive, send)
    (message,) = told
    assert message["type"] == "lifespan.startup.failed"
    return str(message["message"])


def test_why_it_cannot_start_is_said_without_a_traceback(
    run: Run, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "ftp://x")
    run("serve")
    assert why_it_cannot_start(served["app"]).startswith("OLLAMA_HOST is 'ftp://x'")


def test_an_error_with_a_cause_is_said_in_its_own_words_alone(
    ollama: str, run: Run, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_URL", ollama)
    run("serve")
    said = why_it_cannot_start(served["app"])
    assert said.startswith(f"{ollama} isn't a Footnote server")
    assert "\n" not in said


def test_an_error_that_nobody_expected_keeps_its_traceback(
    run: Run, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ArithmeticError("1 isn't 2")

    monkeypatch.setattr(application, "open_service", fail)
    run("serve")
    said = why_it_cannot_start(served["app"])
    assert said.startswith("Traceback")
    assert "ArithmeticError: 1 isn't 2" in said
