"""Running servers that strangers send anything to, and the count of what they answered."""

import os
from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from structlog.testing import capture_logs

from api.app import create_app
from api.settings import Settings
from api.standin.server import create_standin, running
from tests.fuzzing.world import World

# In all, of the native interface and of the others half each; 0: as many as there is time for.
CASES = int(os.environ.get("FUZZ_CASES", "0"))
LIMIT = 2_000_000  # bytes of a body

_statuses: Counter[int] = Counter()


@dataclass(frozen=True, slots=True)
class Target:
    """A server, what is in it, and what it logs."""

    url: str
    http: httpx.Client
    world: World
    logged: list[MutableMapping[str, Any]]

    def count(self, status: int) -> None:
        """Note how a case was answered, and see that nothing surprised the server meanwhile."""
        _statuses[status] += 1
        surprises = [one for one in self.logged if one["event"] == "unexpected_error"]
        self.logged.clear()
        assert surprises == []


def fuzzed(cases: int, parts: int) -> settings:
    """Settings for one of so many parts of all cases; where no number is asked for, `cases`, and
    always the same.
    """
    return settings(
        max_examples=max(1, CASES // 2 // parts) if CASES else cases,
        derandomize=not CASES,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server without another behind it."""
    with _target(tmp_path_factory.mktemp("alone")) as target:
        yield target


@pytest.fixture(scope="module")
def backed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server before an Ollama server, whose part a stand-in plays."""
    with (
        running(create_standin()) as upstream,
        _target(tmp_path_factory.mktemp("backed"), upstream) as target,
    ):
        yield target


@contextmanager
def _target(data: Path, ollama: str = "") -> Iterator[Target]:
    settings = Settings(
        data=data,
        embedding_model="hashing",
        ollama_host=ollama,
        store_answers=True,
        max_upload_bytes=LIMIT,
    )
    with (
        capture_logs() as logged,
        running(create_app(settings)) as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as http,
    ):
        yield Target(url, http, World(http), logged)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _statuses:
        told = ", ".join(f"{status}: {count:,}" for status, count in sorted(_statuses.items()))
        terminalreporter.write_line(f"{_statuses.total():,} made-up requests were answered {told}")
