"""Our server and the stand-in, against what a real Ollama server answered to the same requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.settings import Settings
from api.standin.server import create_standin, running
from tests.conformance.golden import RECORDING, cases, differences, replay, unbound

pytestmark = pytest.mark.skipif(not RECORDING.exists(), reason="the recording isn't here")

MODELS = {
    "{E}": "all-minilm",
    "{X}": "nan-embed",
    "{C}": "tiny",
    "{T}": "tiny-tools",
    "{H}": "tiny-think",
    "{N}": "tiny-native",
}
ALONE = {"{E}": "all-minilm"}

# Why a case can't be the same.
NEEDS = {
    "cloud-off": "the recorder's own setting: a server with an upstream asks that",
    "pull-unk-stream": "a registry",
    "pull-unk-once": "a registry",
}
WITHOUT_UPSTREAM = dict.fromkeys(
    ("blob-new", "blob-exists", "blob-head-ok", "copy-ok", "delete-ok"),
    "models are kept by an Ollama server, and none is configured",
)


@pytest.fixture(scope="module")
def standin() -> Iterator[str]:
    with running(create_standin()) as url:
        yield url


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(create_app(_settings(tmp_path_factory.mktemp("alone")))) as url:
        yield url


@pytest.fixture(scope="module")
def server_before_standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data: Path = tmp_path_factory.mktemp("before")
    with (
        running(create_standin()) as upstream,
        running(create_app(_settings(data, upstream))) as url,
    ):
        yield url


def _settings(data: Path, ollama: str = "") -> Settings:
    # No backend is chosen by trial.
    return Settings(data=data, ollama_host=ollama, embedding_backend="torch")


def runnable(models: dict[str, str], *reasons: dict[str, str]) -> list[Any]:
    """The cases for a server that has these models; faults are injected elsewhere."""
    left_out = {name for reason in reasons for name in reason}
    return [
        pytest.param(case, id=case["id"])
        for case in cases()
        if not unbound(case, models) and case["id"] not in left_out
        if not case["id"].startswith("fault-")
    ]


def check(url: str, case: dict[str, Any], models: dict[str, str]) -> None:
    assert differences(case, replay(url, case, models), models) == []


@pytest.mark.parametrize("case", runnable(MODELS, {"cloud-off": ""}))
def test_the_stand_in(standin: str, case: dict[str, Any]) -> None:
    check(standin, case, MODELS)


@pytest.mark.parametrize("case", runnable(ALONE, NEEDS, WITHOUT_UPSTREAM))
def test_the_server_alone(server: str, case: dict[str, Any]) -> None:
    check(server, case, ALONE)


@pytest.mark.parametrize("case", runnable(MODELS, {"cloud-off": ""}))
def test_the_server_before_an_upstream(server_before_standin: str, case: dict[str, Any]) -> None:
    check(server_before_standin, case, MODELS)
