import pytest

from retrieval.errors import InvalidRequest
from retrieval.stores.naming import checked


@pytest.mark.parametrize("name", ["abc", "3f9a", "a.b_c-d", "x" * 200])
def test_a_good_name_is_returned(name: str) -> None:
    assert checked(name) == name


@pytest.mark.parametrize(
    "name", ["", "ab", "../x", "a/b", "a\\b", ".abc", "abc.", "运费险", "x" * 201]
)
def test_another_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(InvalidRequest, match="3 to 200 letters"):
        checked(name)
