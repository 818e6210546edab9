from pathlib import Path

import pytest

from evaluation.answer_set import AnswerQuestion, read_answer_set, sampled
from evaluation.errors import DatasetError
from tests.evaluation.sets import entry, lines

CORPUS = [entry(f"p{n}", f"Text {n}.", title=f"Topic {n // 2}") for n in range(40)]


def row(number: int, *answers: str, **more: object) -> dict[str, object]:
    return {"id": f"q{number}", "question": f"What is {number}?", "answers": list(answers), **more}


def write(folder: Path, *rows: dict[str, object]) -> Path:
    (folder / "corpus.jsonl").write_text(lines(*CORPUS), encoding="utf-8")
    (folder / "questions.jsonl").write_text(lines(*rows), encoding="utf-8")
    return folder


def test_a_set_is_read(tmp_path: Path) -> None:
    rows = [row(1, "one", "1", para_id="p1", doc_id="whole"), row(2, doc_id="p2")]
    found = read_answer_set(write(tmp_path, *rows))
    assert len(found.corpus) == 40
    assert found.questions == (
        AnswerQuestion("q1", "What is 1?", ("one", "1"), "p1"),
        AnswerQuestion("q2", "What is 2?", (), "p2"),
    )
    assert [one.is_answerable for one in found.questions] == [True, False]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row(1, "one", para_id="gone")], "isn't in the corpus"),
        ([row(1, para_id="p1")], "no question with an answer"),
        ([{**row(1), "answers": "one", "para_id": "p1"}], "no list of texts"),
        ([{"id": "q", "question": "?"}], "answers"),
    ],
)
def test_what_does_not_fit_is_told(
    tmp_path: Path, rows: list[dict[str, object]], told: str
) -> None:
    with pytest.raises(DatasetError, match=told):
        read_answer_set(write(tmp_path, *rows))


def test_an_answer_is_found_whatever_its_case_white_space_and_width() -> None:
    question = AnswerQuestion("q", "?", ("Nearly $12", "１９７３年"), "p")
    assert question.is_answered_by("It rose to nearly\n$12 a barrel.")
    assert question.is_answered_by("始于1973 年。")
    assert not question.is_answered_by("It rose to $13.")
    assert not AnswerQuestion("q", "?", (), "p").is_answered_by("anything")


def test_halves_share_no_topic_and_a_sample_is_the_same_each_time(tmp_path: Path) -> None:
    rows = [row(n, "a", para_id=f"p{n}") for n in range(40)]
    found = read_answer_set(write(tmp_path, *rows))
    halves = [found.half(0), found.half(1)]
    topics = [{int(one.source[1:]) // 2 for one in half} for half in halves]
    assert not topics[0] & topics[1]
    assert min(map(len, halves)) >= 10
    assert sum(map(len, halves)) == 40
    assert sampled(found.questions, 7) == sampled(found.questions[::-1], 7)
    assert sampled(found.questions, None) == sampled(found.questions, 99)
