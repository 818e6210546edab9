from dataclasses import fields

import pytest

from evaluation import configuration
from evaluation.configuration import Configuration
from evaluation.errors import ConfigurationError
from retrieval.fusion import Fusion
from retrieval.types import Mode


def test_every_part_of_a_run_can_be_said() -> None:
    said = (
        "mine: mode=dense, fusion=rrf, weight=0.25, model=hashing, tokens=64, overlap=8, whole=yes"
    )
    made = Configuration.parse(said, "other")
    assert made == Configuration(
        "mine", Mode.DENSE, Fusion.RECIPROCAL_RANKS, 0.25, "hashing", 64, 8, whole=True
    )
    assert {field.name for field in fields(Configuration)} == configuration._READ.keys() | {"name"}


def test_what_is_not_said_stays_as_it_is() -> None:
    assert Configuration.parse("hybrid", "m") == Configuration("hybrid", model="m")
    assert Configuration.parse("it: tokens=64", "m") == Configuration("it", model="m", tokens=64)
    assert Configuration.parse("it: tokens=32", "m").overlap == 16  # more would not be allowed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: mood=dense", "'mood=dense' in the run 'a: mood=dense' isn't one of mode, fusion"),
        ("a: mode", "'mode' in the run 'a: mode' isn't one of"),
        ("a: mode=both", "'both' is not a valid Mode"),
        ("a: tokens=many", "invalid literal"),
        ("a: whole=perhaps", "say yes or no"),
        ("a: whole=yes", "for mode=dense alone"),
    ],
)
def test_what_makes_no_run_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Configuration.parse(text, "m")
