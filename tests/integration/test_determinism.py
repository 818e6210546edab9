"""The same question over the same index: the same search, prompt and quotes, to the last bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

from api.standin.catalogue import default_models
from api.standin.server import create_standin, running
from api.wire.models import Completion
from tests.integration import asking


def script(_completion: Completion) -> str:
    return "The sources say so [1]."


def test_another_process_finds_and_says_the_same_whatever_else_it_does(tmp_path: Path) -> None:
    data, root = tmp_path / "data", Path(__file__).parents[2]
    with running(create_standin(default_models(script))) as ollama:
        with asking.engine_of(data, ollama) as engine:
            asked = asking.ask_one_by_one(engine)
            kb = engine.open("samples")
            assert engine.answers.count(kb) == asked > 40
            assert engine.calibrations.of(kb) is not None
        ran = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "tests.integration.asking", str(data), ollama],
            env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": "12345"},
            capture_output=True,
            text=True,
            check=True,
        )
    assert json.loads(ran.stdout.splitlines()[-1]) == []
