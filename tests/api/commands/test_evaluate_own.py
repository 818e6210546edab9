"""`footnote eval kb`."""

import json
from pathlib import Path

import pytest
from lxml import html

from api.service import open_service
from api.settings import Settings
from api.standin.catalogue import default_models
from api.standin.server import create_standin, running
from api.wire.models import Completion
from retrieval.errors import InvalidRequest
from retrieval.feedback import Opinion
from tests.api.commands.conftest import Printed, Run

QUESTION = "运费险的理赔时限是几天？"


@pytest.fixture
def ingested(run: Run, tmp_path: Path) -> Path:
    """Documents of several sentences, in a knowledge base named `docs`."""
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "运费.txt").write_text(
        "退货产生的运费一律由卖家承担，买家无需支付。运费险的理赔时限是七天，逾期不予受理。",
        encoding="utf-8",
    )
    (folder / "tea.txt").write_text(
        "The office serves tea at four. Biscuits are kept in the drawer beside the kettle."
    )
    assert run("ingest", str(folder), "--kb", "docs").exit_code == 0
    return folder


def give_feedback(*, helpful: bool = True) -> None:
    with open_service(Settings()) as service:
        kb = service.engine.open("docs")
        [key] = [one.id for one in service.engine.documents.list(kb, 9) if one.name == "运费.txt"]
        service.engine.feedback.add(kb, Opinion(QUESTION, key, helpful))


def test_without_feedback_sentences_are_the_questions(
    run: Run, printed: Printed, ingested: Path
) -> None:
    [told] = printed("eval", "kb", "docs")
    assert (told["set"], told["questions"]) == ("docs, sentences", 4)
    assert "People don't ask like that" in told["note"]
    assert [one["configuration"]["name"] for one in told["runs"]] == ["dense", "lexical", "hybrid"]
    assert all("span recall@5" in one["metrics"] for one in told["runs"])
    assert printed("eval", "kb", "docs", "--generated", "3")[0]["questions"] == 3
    shown = " ".join(run("eval", "kb", "docs").stdout.split())
    assert "docs, sentences, 4 questions" in shown
    assert "not how good one is" in shown


def test_feedback_is_measured_by_where_there_is_any(
    run: Run, printed: Printed, ingested: Path
) -> None:
    give_feedback()
    [told] = printed("eval", "kb", "docs", "--run", "mine: fusion=rrf", "--run", "b: mode=lexical")
    assert (told["set"], told["questions"]) == ("docs, feedback", 1)
    assert [one["metrics"]["hit@1"]["mean"] for one in told["runs"]] == [1.0, 1.0]
    assert "docs, feedback, 1 questions" in run("eval", "kb", "docs", "--feedback").stdout
    assert printed("eval", "kb", "docs", "--generated", "2")[0]["set"] == "docs, sentences"


def test_questions_of_a_file_and_the_report_on_them(
    printed: Printed, ingested: Path, tmp_path: Path
) -> None:
    rows = [
        {"question": QUESTION, "document": (ingested / "运费.txt").as_uri()},
        {"question": "biscuits", "document": (ingested / "运费.txt").as_uri()},
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    out = tmp_path / "report"
    told = printed("eval", "kb", "docs", "--questions", str(path), "--out", str(out))
    assert told[0]["questions"] == 2
    assert json.loads((out / "report.json").read_text(encoding="utf-8")) == told
    page = html.fromstring((out / "report.html").read_text(encoding="utf-8"))
    text = page.text_content()
    assert "2 documents, 2 questions" in text
    assert "退货产生的运费一律由卖家承担" in text  # what should have been found for biscuits
    assert (out / "docs_questions-hybrid.run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--feedback",), "No feedback on 'docs' says that a document helped"),
        (("--run", "a: tokens=64"), "The run 'a' needs another index than 'docs' has"),
        (("--questions", "{folder}/tea.txt"), "tea.txt, line 1 isn't JSON"),
    ],
)
def test_what_cannot_be_measured_is_said(
    run: Run, ingested: Path, arguments: tuple[str, ...], message: str
) -> None:
    give_feedback(helpful=False)
    with pytest.raises(Exception, match=message):
        run("eval", "kb", "docs", *(one.format(folder=ingested) for one in arguments))


def asks(completion: Completion) -> str:
    """A question about tea, and too much about anything else."""
    told = completion.messages[-1].content
    return "“When is tea\nserved?”" if "serves tea" in told else "Well, " * 200


def test_a_chat_model_asks_questions_that_can_be_asked_again(
    printed: Printed, ingested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report"
    asked = ("eval", "kb", "docs", "--generated", "5", "--chat-model", "tiny")
    with running(create_standin(default_models(asks))) as url:
        monkeypatch.setenv("OLLAMA_HOST", url)
        [told] = printed(*asked, "--out", str(out))
        with pytest.raises(InvalidRequest, match="There is no chat model 'nope'"):
            printed(*asked[:-1], "nope")
        with pytest.raises(InvalidRequest, match="'extractive' only quotes"):
            printed(*asked[:-1], "extractive")
    assert (told["set"], told["questions"]) == ("docs, tiny:latest", 1)
    assert "1 of 2 replies were no question" in told["note"]
    row = json.loads((out / "questions.jsonl").read_text(encoding="utf-8"))
    assert (row["question"], row["start"]) == ("When is tea served?", 0)
    assert row["document"].endswith("tea.txt")
    [again] = printed("eval", "kb", "docs", "--questions", str(out / "questions.jsonl"))
    assert again["runs"] == told["runs"]


def test_a_chat_model_asks_what_is_generated_alone(run: Run) -> None:
    result = run("eval", "kb", "docs", "--chat-model", "tiny")
    assert (result.exit_code, "for --generated" in result.stderr) == (2, True)


def test_one_source_at_a_time(run: Run) -> None:
    result = run("eval", "kb", "docs", "--feedback", "--generated", "3")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr
