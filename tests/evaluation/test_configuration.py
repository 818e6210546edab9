from dataclasses import fields, replace

import pytest

from evaluation import configuration
from evaluation.configuration import Configuration
from evaluation.errors import ConfigurationError
from retrieval.engine import Engine
from retrieval.fusion import Fusion
from retrieval.types import Chunking, KnowledgeBaseSettings, Mode

BASE = Configuration("base", model="m")


def test_every_part_of_a_run_can_be_said() -> None:
    said = (
        "mine: mode=dense, fusion=rrf, weight=0.25, model=hashing, tokens=64, overlap=8, whole=yes"
    )
    made = Configuration.parse(said, BASE)
    assert made == Configuration(
        "mine", Mode.DENSE, Fusion.RECIPROCAL_RANKS, 0.25, "hashing", 64, 8, whole=True
    )
    assert {field.name for field in fields(Configuration)} == configuration._READ.keys() | {"name"}


def test_what_is_not_said_stays_as_it_is() -> None:
    assert Configuration.parse("hybrid", BASE) == Configuration("hybrid", model="m")
    assert Configuration.parse("it: tokens=64", BASE) == Configuration("it", model="m", tokens=64)
    assert Configuration.parse("it: tokens=32", BASE).overlap == 16  # more would not be allowed
    other = Configuration("other", Mode.LEXICAL, Fusion.CONVEX, 0.25, "m", 64, 8)
    assert Configuration.parse("it: mode=hybrid", other) == replace(
        other, name="it", mode=Mode.HYBRID
    )


def test_that_of_a_knowledge_base_is_what_it_is_searched_with(engine: Engine) -> None:
    settings = KnowledgeBaseSettings(Chunking(64, 8), Fusion.CONVEX, 0.25)
    kb, _ = engine.create("docs", settings)
    made = Configuration.of(kb)
    assert made == Configuration(
        "hybrid", Mode.HYBRID, Fusion.CONVEX, 0.25, engine.embedder.identity.name, 64, 8
    )
    assert made.settings == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: mood=dense", "'mood=dense' in the run 'a: mood=dense' isn't one of mode, fusion"),
        ("a: mode", "'mode' in the run 'a: mode' isn't one of"),
        ("a: mode=both", "'both' is not a valid Mode"),
        ("a: weight=1.5", "'weight=1.5' in the run 'a: weight=1.5': it lies within 0 and 1"),
        ("a: tokens=many", "invalid literal"),
        ("a: whole=perhaps", "say yes or no"),
        ("a: whole=yes", "for mode=dense alone"),
    ],
)
def test_what_makes_no_run_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Configuration.parse(text, BASE)
