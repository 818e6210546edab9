import operator
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval import filters
from retrieval.errors import InvalidRequest
from tests.retrieval.library import Library

Shelf: TypeAlias = dict[str, dict[str, Any]]

VALUES = ("legal", "sales", "法务", "", "1", "true", -1.5, 0, 0.5, 1, 2, True, False)
KEYS = st.sampled_from(["year", "部门", 'a"b.$x'])
SCALARS = st.sampled_from(VALUES)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def kind(value: object) -> str:
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number"


COMPARISONS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), SCALARS),
    st.tuples(st.sampled_from(sorted(OPERATORS)), SCALARS.filter(lambda v: kind(v) != "flag")),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(SCALARS, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
)
LEAVES = st.dictionaries(
    KEYS, SCALARS | st.lists(COMPARISONS, min_size=1, max_size=2).map(dict), max_size=2
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"$and": parts}),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"$or": parts}),
        inner.map(lambda part: {"$not": part}),
    ),
    max_leaves=4,
)


def compared(metadata: Mapping[str, Any], key: str, op: str, operand: Any) -> bool:
    """What one comparison means, said in plain Python."""
    given_ = metadata.get(key, ())
    values = given_ if isinstance(given_, tuple) else (given_,)
    if op == "$exists":
        return bool(values) is operand
    if op == "$ne":
        return not compared(metadata, key, "$eq", operand)
    if op in ("$in", "$nin"):
        return (op == "$in") is any(compared(metadata, key, "$eq", one) for one in operand)
    return any(kind(v) == kind(operand) and OPERATORS[op](v, operand) for v in values)


def met(metadata: Mapping[str, Any], filter_: Mapping[str, Any]) -> bool:
    for key, value in filter_.items():
        if key == "$and":
            fits = all(met(metadata, part) for part in value)
        elif key == "$or":
            fits = any(met(metadata, part) for part in value)
        elif key == "$not":
            fits = not met(metadata, value)
        else:
            operators = value if isinstance(value, Mapping) else {"$eq": value}
            fits = all(compared(metadata, key, op, one) for op, one in operators.items())
        if not fits:
            return False
    return True


def matching(library: Library, filter_: Mapping[str, Any]) -> set[str]:
    condition = filters.condition(filter_)
    return {found.uri for found in library.engine.documents.list(library.kb, 100, where=condition)}


@pytest.fixture
def shelf(library: Library) -> Shelf:
    """Documents by uri: one with each value, some with several, one with none."""
    given_: list[dict[str, Any]] = [{}, {"year": ()}, *({"year": one} for one in VALUES)]
    given_ += [{"year": pair} for pair in zip(VALUES, VALUES[3:], strict=False)]
    given_ += [{"year": one, "部门": VALUES[-at], 'a"b.$x': one} for at, one in enumerate(VALUES)]
    metadata = {f"d{number:02}": one for number, one in enumerate(given_)}
    for uri, one in metadata.items():
        library.add(uri, f"Text {uri}.", one)
    return metadata


def expected(shelf: Shelf, filter_: Mapping[str, Any]) -> set[str]:
    return {uri for uri, metadata in shelf.items() if met(metadata, filter_)}


def test_every_operator_compares_as_plain_python_does(library: Library, shelf: Shelf) -> None:
    for operator_, value in product([*OPERATORS, "$ne", "$in", "$nin"], VALUES):
        if kind(value) == "flag" and operator_ in ("$gt", "$gte", "$lt", "$lte"):
            continue  # refused, see below
        operand = [value, "x"] if operator_ in ("$in", "$nin") else value
        filter_ = {"year": {operator_: operand}}
        assert matching(library, filter_) == expected(shelf, filter_), filter_


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILTERS)
def test_a_filter_leaves_what_plain_python_would(
    library: Library, shelf: Shelf, filter_: dict[str, Any]
) -> None:
    assert matching(library, filter_) == expected(shelf, filter_)


def test_what_every_document_has_can_be_asked_for(library: Library) -> None:
    one = library.add("notes/一", "# Zebra\n\nText.").document_id
    library.add("notes/2", "# Lion\n\nText.")
    assert matching(library, {"document_id": one}) == {"notes/一"}
    assert matching(library, {"uri": {"$in": ["notes/一", "x"]}}) == {"notes/一"}
    assert matching(library, {"title": "Lion"}) == {"notes/2"}
    assert matching(library, {"media_type": {"$ne": "text/markdown"}}) == set()
    assert len(matching(library, {})) == 2
    for field in ("document_id", "uri", "title", "media_type"):
        assert len(matching(library, {field: {"$exists": True}})) == 2
        assert matching(library, {field: {"$exists": False}}) == set()


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        ([], "JSON object"),
        ({"$or": []}, "at least one"),
        ({"$and": {"a": 1}}, "takes a list"),
        ({"$nor": [{}]}, r"'\$nor'"),
        ({"year": {}}, "empty object"),
        ({"year": {"$near": 3}}, r"\$near.*use one of"),
        ({"year": {"$in": 3}}, "takes a list"),
        ({"final": {"$gt": False}}, r"use \$eq or \$ne"),
        ({"year": {"$exists": 1}}, "true or false"),
        ({"year": None}, "string, number or boolean"),
        ({"year": [1, 2]}, "string, number or boolean"),
        ({"year": float("nan")}, "isn't a number"),
        ({"year": 2**60}, "use text"),
        ({"year": "\ud800"}, "Unicode"),
        ({"year": {"$in": list(range(300))}}, "256 conditions"),
        ({"$or": [{}] * 300}, "256 conditions"),
        ({"$and": [{"$not": {}}] * 300}, "256 conditions"),
        ({f"key{number}": {"$in": []} for number in range(300)}, "256 conditions"),
        ({"year": {"$nin": ["x" * 1_000_000, None]}}, "string, number or boolean"),
    ],
)
def test_what_cannot_be_understood_is_said(filter_: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        filters.condition(filter_)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("operator", ["$eq", "$ne", "$gte"])
def test_every_condition_counts_once(operator: str) -> None:
    filters.condition({f"key{number}": {operator: 1} for number in range(256)})
    with pytest.raises(InvalidRequest, match="256 conditions"):
        filters.condition({f"key{number}": {operator: 1} for number in range(257)})


def test_a_filter_may_be_deep_but_not_bottomless(library: Library) -> None:
    def nested(levels: int) -> dict[str, Any]:
        return {"$not": nested(levels - 1)} if levels else {"year": 1}

    library.add("a", "Text.", {"year": 1})
    assert matching(library, nested(16)) == {"a"}
    for levels in (17, 400):
        with pytest.raises(InvalidRequest, match="16 levels"):
            filters.condition(nested(levels))
