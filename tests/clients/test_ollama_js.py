"""The official JavaScript client of Ollama, as it comes from npm; `.ci/run` installs it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("ollama_client.cjs")
MODULES = Path(os.environ.get("FOOTNOTE_CI_NODE", SCRIPT.parents[2] / ".ci")) / "node_modules"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not (MODULES / "ollama").is_dir(),
    reason="npm's `ollama` isn't installed: npm install --prefix .ci ollama",
)


@pytest.fixture(scope="module")
def got(server: str) -> dict[str, Any]:
    """What the script got of the server."""
    done = subprocess.run(  # noqa: S603 - our own arguments
        [str(NODE), str(SCRIPT), server],
        env={**os.environ, "NODE_PATH": str(MODULES)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_models(got: dict[str, Any]) -> None:
    assert {"kb/docs:latest", "all-minilm:latest", "tiny:latest"} <= set(got["models"])
    assert got["capabilities"] == ["completion", "thinking"]
    assert got["version"].count(".") == 2
    assert got["pulled"].endswith("success;")


def test_embeddings(got: dict[str, Any]) -> None:
    assert np.asarray(got["one"]).shape == (1, 384)
    assert np.allclose(got["many"][0], got["one"][0], atol=1e-5)
    assert np.allclose(got["old"], got["one"][0], atol=1e-5)


def test_answers(got: dict[str, Any]) -> None:
    assert got["answer"].startswith("The warranty of the Kestrel lasts twenty-four months. [1]")
    assert got["streamed"] == got["generated"] == got["answer"]
    assert [citation["verified"] for citation in got["citations"]] == [True]


def test_what_is_passed_on(got: dict[str, Any]) -> None:
    assert got["passed"] == "You said: hi"
    assert got["tools"][0]["function"] == {
        "index": 0,
        "name": "weather",
        "arguments": {"city": "text"},
    }
    assert json.loads(got["format"])["text"].startswith("You said")


def test_errors(got: dict[str, Any]) -> None:
    assert (got["unknown"]["status"], got["unknown"]["message"]) == (
        404,
        "model 'kb/nope' not found",
    )
    assert (got["unfit"]["status"], got["unfit"]["message"]) == (
        400,
        '"all-minilm" does not support chat',
    )
    assert got["deleted"]["status"] == 400
