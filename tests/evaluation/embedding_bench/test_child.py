"""Real processes, with the hashing model."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.embedding_bench.child import WORKER, Child
from evaluation.embedding_bench.local import Cutter, Local
from evaluation.embedding_bench.messages import Footprint, Recipe, Serve, Tell
from evaluation.embedding_bench.targets import parse_target
from evaluation.embedding_bench.texts import TextSet
from evaluation.errors import TargetFailed
from retrieval.embedding.hashing import HashingBackend

RECIPE = Recipe(
    device="",
    download=False,
    calibration="",
    cache="",
    ollama_host="",
    ollama_api_key="",
    ollama_requests=1,
)
TEXTS = TextSet("texts", ("a cat", "退货政策", "a much longer text than the others", "🍵"))
PATIENCE = 120.0


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child(1, PATIENCE)
    yield child
    child.close()


@pytest.mark.parametrize("name", ["hashing@auto", "hashing@raw:auto"])
def test_a_target_embeds_serves_and_tells(name: str, child: Child, tmp_path: Path) -> None:
    local = Local(parse_target(name, ""), RECIPE, lambda: child, tmp_path)
    loaded = local.load()
    assert (loaded.dtype, loaded.batch_tokens) == ("float32", 65_536)
    assert loaded.seconds is not None
    assert loaded.memory is not None
    embedded = local.embed(TEXTS, keep=True)
    assert embedded.vectors is not None
    expected = HashingBackend().encode(HashingBackend().tokenize(TEXTS.texts))
    np.testing.assert_allclose(embedded.vectors, expected, atol=1e-6)
    assert embedded.seconds > 0
    assert local.embed(TEXTS).vectors is None
    assert local.singles(TEXTS) > 0
    served = local.serve(TEXTS, [0.0, 0.001, 0.002, 0.003, 0.004], 60.0)
    assert all(one is not None and one > 0 for one in served)
    footprint = local.footprint()
    assert footprint.peak is not None
    assert footprint.peak > 50
    assert footprint.gpu is None
    assert not list(tmp_path.glob("*.npy"))


def test_a_budget_is_that_of_the_batches(child: Child, tmp_path: Path) -> None:
    target = replace(parse_target("hashing@auto", ""), budget=77)
    assert Local(target, RECIPE, lambda: child, tmp_path).load().batch_tokens == 77


def test_texts_are_cut_to_the_window_and_counted(child: Child, tmp_path: Path) -> None:
    cutter = Cutter("hashing", RECIPE, child, tmp_path)
    long = " ".join(f"word{n}" for n in range(600))
    fitted, counts, cut = cutter.cut(TextSet("t", ("a cat", long)))
    assert fitted.texts[0] == "a cat"
    assert long.startswith(fitted.texts[1])
    assert counts == HashingBackend().count_tokens(fitted.texts)
    assert (counts[0], counts[1], cut) == (4, 256, 1)
    _, fewer, _ = cutter.cut(TextSet("t", (long,)), "query: ")
    assert fewer == [256 - 2]


def test_what_a_target_fails_with_is_told(child: Child, tmp_path: Path) -> None:
    missing = Local(parse_target("no/such@torch", ""), RECIPE, lambda: child, tmp_path)
    with pytest.raises(TargetFailed, match="'no/such' can't be loaded"):
        missing.load()
    with pytest.raises(TargetFailed, match="Nothing is loaded"):
        missing.embed(TEXTS)
    assert child.ask(Tell(), Footprint).peak  # it is still there to be asked


def test_no_answer_in_time_ends_the_process() -> None:
    child = Child(1, 0.0)
    assert child.is_running
    with pytest.raises(TargetFailed, match="No answer within 0 seconds"):
        child.ask(Tell(), Footprint)
    assert not child.is_running


def test_a_process_that_dies_says_how() -> None:
    child = Child(1, PATIENCE, f"{WORKER}.none")
    with pytest.raises(TargetFailed, match=r"ended with status 1: .*Error while finding module"):
        child.ask(Tell(), Footprint)
    child.close()
    child.close()


def test_an_answer_that_is_none_is_a_failure() -> None:
    child = Child(1, PATIENCE, "this")
    with pytest.raises(TargetFailed, match="can't be read"):
        child.ask(Tell(), Footprint)
    child.close()


def test_a_process_that_nobody_listens_to_ends_in_the_middle_of_its_work(
    child: Child, tmp_path: Path
) -> None:
    local = Local(parse_target("hashing@auto", ""), RECIPE, lambda: child, tmp_path)
    local.load()
    (tmp_path / "texts.json").write_text('["text"]')
    child._send(Serve(texts=str(tmp_path / "texts.json"), due=(600.0,), patience=600.0))
    assert child._process.stdin
    child._process.stdin.close()
    assert child._process.wait(60) == 0
