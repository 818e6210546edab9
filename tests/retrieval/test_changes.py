from retrieval.changes import Change, changes, diff, missing
from tests.retrieval.recorded import candidate


def test_values_are_compared_by_name_also_inside() -> None:
    before = {"same": 1, "inside": {"weight": 0.5, "same": None}, "gone": "x"}
    after = {"same": 1, "inside": {"weight": 0.25, "same": None}, "came": "y"}
    assert changes(before, after) == (
        Change("inside.weight", "0.5", "0.25"),
        Change("gone", "x", ""),
        Change("came", "", "y"),
    )
    assert changes(before, before) == ()


def test_texts_are_compared_by_line() -> None:
    assert diff("a\nb", "a\nc") == ("--- stored", "+++ now", "@@ -1,2 +1,2 @@", " a", "-b", "+c")
    assert diff("a\u2028b\r", "a\u2028b\r") == ()
    assert diff("a", "a\n")[-1] == "+"


def test_what_stands_elsewhere_is_missing() -> None:
    one, other = candidate("a"), candidate("b")
    assert missing([one, other], [candidate("a", rank=2)]) == (other,)
