from pathlib import Path

import pytest

from api.standin.catalogue import default_models
from api.standin.server import create_standin, running
from api.wire.models import Completion
from tests.api.commands.conftest import Printed, Run

QUESTION = "When does the office serve tea?"


@pytest.fixture
def stored(run: Run, printed: Printed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an answer."""
    run("ingest", str(folder))
    monkeypatch.setenv("FOOTNOTE_STORE_ANSWERS", "true")
    answer: str = printed("ask", QUESTION)["id"]
    return answer


def test_what_is_the_same_is_said_to_be(run: Run, stored: str) -> None:
    result = run("replay", stored)
    assert result.exit_code == 0
    first, second, *parts = filter(None, result.stdout.splitlines())
    assert first == f"? {QUESTION}" and second.endswith("by extractive.")
    assert parts == ["What decides: the same", "Candidates: the same", "Answer: the same"]


def test_what_differs_is_shown(run: Run, printed: Printed, stored: str, folder: Path) -> None:
    (folder / "tea.txt").write_text("The office serves tea at five.", encoding="utf-8")
    run("ingest", str(folder))
    result = run("replay", stored)
    assert result.exit_code == 1
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert {"What decides: differs", "Candidates: differs", "Answer: differs"} <= {*lines}
    assert "+The office serves tea at five. [1]" in lines
    assert "-The office serves tea at four 🍵. [1]" in lines
    assert any(line.startswith("+ cited: ") and "tea.txt" in line for line in lines)
    assert any(line.startswith("epoch: ") for line in lines)
    found = printed("replay", stored, status=1)
    assert (found["same"], found["answer"]["same"]) == (False, False)
    assert len(found["candidates"]["came"]) == len(found["candidates"]["gone"]) == 1


def test_what_a_chat_model_says_otherwise_is_shown_and_not_counted(
    run: Run, printed: Printed, stored: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter(["Tea is served at four.", "The office serves tea at four.", "Tea."])

    def script(_completion: Completion) -> str:
        return next(said)

    with running(create_standin(default_models(script))) as ollama:
        monkeypatch.setenv("FOOTNOTE_OLLAMA_HOST", ollama)
        answer = printed("ask", QUESTION, "--model", "tiny")["id"]
        same = run("replay", answer)
        (folder / "more.txt").write_text("Coffee is served at nine.", encoding="utf-8")
        run("ingest", str(folder))
        changed = run("replay", answer)
    assert (same.exit_code, changed.exit_code) == (0, 1)
    assert "Prompt: the same" in same.stdout and "Answer: differs" in same.stdout
    assert "A chat model may say other words" in same.stdout
    assert "Prompt: differs" in changed.stdout and "+Coffee is served at nine." in changed.stdout


def test_an_answer_that_is_not_there_is_wrong_usage(run: Run, stored: str) -> None:
    result = run("replay", "nope")
    assert result.exit_code == 2
    assert "no stored answer" in result.output


def test_an_answer_that_is_stored_tells_how_to_replay_it(run: Run, stored: str) -> None:
    *_, last = run("ask", QUESTION).stdout.split()
    assert run("replay", last).exit_code == 0


def test_the_help_tells_the_exit_statuses(run: Run) -> None:
    told = " ".join(run("replay", "--help").stdout.split())
    assert "exit status is 0 where" in told


def test_a_deleted_document_leaves_no_answer(run: Run, printed: Printed, stored: str) -> None:
    [candidate, *_] = printed("replay", stored)["now"]["candidates"]
    assert printed("doctor", "--deleted", candidate["document_id"], status=1)
    run("kb", "delete", "default", "--yes")
    found = printed("doctor", "--deleted", candidate["document_id"])
    assert {"table answers", "table answer_documents"} <= {one["subject"] for one in found}
