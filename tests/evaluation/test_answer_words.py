import pytest

from evaluation.answer_words import exact, f1


@pytest.mark.parametrize(
    ("said", "golds", "same", "near"),
    [
        ("The Normans. [1]", ["Normans"], 1.0, 1.0),
        ("in 1066", ["1066", "the year 1066"], 0.0, 2 / 3),
        ("Rome [1]", ["Paris"], 0.0, 0.0),
        ("大村智。", ["大村智"], 1.0, 1.0),
        ("由大村智", ["大村智"], 0.0, 6 / 7),
        ("ＡＢＣ", ["abc"], 1.0, 1.0),
        ("", ["x"], 0.0, 0.0),
        ("x", [], 0.0, 0.0),
    ],
)
def test_words_are_compared_as_squad_does(
    said: str, golds: list[str], same: float, near: float
) -> None:
    assert exact(said, golds) == same
    assert f1(said, golds) == pytest.approx(near)
