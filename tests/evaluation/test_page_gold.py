from pathlib import Path

import pytest

from evaluation.errors import DatasetError
from evaluation.page_gold import PageQuestion, Place, measure, read_page_questions
from ingest import sources
from ingest.pipeline import Pipeline
from tests.conftest import OpenEngine
from tests.evaluation.sets import lines
from tests.retrieval.library import PagedParser


def test_pages_are_ranked_as_their_chunks_are_found(open_test_engine: OpenEngine) -> None:
    engine = open_test_engine()
    kb, _ = engine.create("filings")
    pipeline = Pipeline(engine, PagedParser(), 10_000)
    texts = {
        "a": "Revenue rose to ten.\fAssets are forty.\fCosts fell to two.",
        "b": "Weather was mild.\fHarbour dredged.",
    }
    for name, text in texts.items():
        source = sources.text(f"file:///somewhere/{name}.pdf", text, None, None)
        pipeline.ingest(kb, source, lambda *_: None)
    questions = [
        PageQuestion("1", "harbour dredged", frozenset({Place("b.pdf", 2)})),
        PageQuestion("2", "harbour", frozenset({Place("b.pdf", 2), Place("c.pdf", 1)})),
        PageQuestion("3", "harbour dredged", frozenset({Place("c.pdf", 2)})),
    ]
    told: list[int] = []
    score = measure(engine, kb, questions, told.append)
    assert told == [1, 2, 3]
    assert score.page_recall_5.mean == pytest.approx(0.5)
    assert score.page_recall_10.mean == pytest.approx(0.5)
    assert score.document_5.mean == pytest.approx(2 / 3)


def test_pages_count_from_1_here(tmp_path: Path) -> None:
    row = {"id": 1, "question": "How much?", "evidence": [{"doc": "a.pdf", "page0": 0}]}
    (tmp_path / "questions.jsonl").write_text(lines(row))
    assert read_page_questions(tmp_path) == [
        PageQuestion("1", "How much?", frozenset({Place("a.pdf", 1)}))
    ]


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ([], "has no evidence"),
        ([{"doc": "a.pdf"}], "page0"),
        ([{"doc": 1, "page0": "x"}], "line 1"),
    ],
)
def test_what_says_no_page_is_refused(tmp_path: Path, evidence: object, message: str) -> None:
    (tmp_path / "questions.jsonl").write_text(
        lines({"id": "1", "question": "q", "evidence": evidence})
    )
    with pytest.raises(DatasetError, match=message):
        read_page_questions(tmp_path)
