import pytest

from api.commands.filters import parse_filter
from retrieval.errors import InvalidRequest


def test_a_filter_is_its_json() -> None:
    assert parse_filter('{"团队": {"$in": ["法务"]}}') == {"团队": {"$in": ["法务"]}}


@pytest.mark.parametrize("text", ["", "year", "[]", "1", "null", '"a"', "[" * 100_000, "1" * 5_000])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="JSON"):
        parse_filter(text)
