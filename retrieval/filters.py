"""Metadata filters: JSON in, a condition on the catalogue's documents out.

    {"year": 2024}                                  equality
    {"year": {"$gte": 2020, "$lt": 2024}}           ranges; on strings too, as ISO dates need
    {"team": {"$in": ["legal", "sales"]}}           also $nin, $ne, $eq, $exists
    {"$or": [{"year": 2024}, {"$not": {...}}]}      $and, $or, $not; several keys mean and

Besides metadata, `document_id`, `uri`, `title` and `media_type` can be asked for. A list in the
metadata matches where any of its values does; a missing value matches `$ne`, `$nin` and `$not`.
"""

import math
from collections.abc import Callable, Mapping
from reprlib import repr as short
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, exists, false, literal, not_, or_, select, true

from retrieval.errors import InvalidRequest
from retrieval.schema import document_metadata, documents, versions
from retrieval.sql import beginning
from retrieval.types import MetadataValue, Scalar

Filter: TypeAlias = Mapping[str, Any]
Condition: TypeAlias = ColumnElement[bool]

MAX_DEPTH = 16
MAX_CONDITIONS = 256

_live = versions.alias("live")  # the query around a filter may have versions of its own

_DOCUMENT_FIELDS = {"document_id": documents.c.id, "uri": documents.c.uri}
_VERSION_FIELDS = {"title": _live.c.title, "media_type": _live.c.media_type}
_COMPARISONS: dict[str, Callable[[ColumnElement[Any], Scalar], Condition]] = {
    "$eq": lambda column, value: _equals(column, value),
    "$gt": lambda column, value: column > value,
    "$gte": lambda column, value: column >= value,
    "$lt": lambda column, value: column < value,
    "$lte": lambda column, value: column <= value,
}


def metadata_rows(document_id: str, key: str, value: MetadataValue) -> list[dict[str, Any]]:
    """The rows that make a metadata value findable."""
    values = value if isinstance(value, tuple) else (value,)
    return [
        {"document_id": document_id, "key": key, "text": None, "number": None, "flag": None}
        | {_kind(one): one}
        for one in values
    ]


def condition(filter_: Filter) -> Condition:
    """The condition that a filter sets on a row of `documents`. Raises InvalidRequest."""
    budget = [MAX_CONDITIONS]
    return _all_of(filter_, 0, budget)


def _all_of(filter_: object, depth: int, budget: list[int]) -> Condition:
    if not isinstance(filter_, Mapping):
        raise InvalidRequest(f"A filter is a JSON object, not {short(filter_)}.")
    if depth > MAX_DEPTH:
        raise InvalidRequest(f"A filter may be nested {MAX_DEPTH} levels deep; this one is deeper.")
    if not filter_:
        _spend(budget)  # it says nothing, but it is worked through
    return and_(true(), *(_one(key, value, depth, budget) for key, value in filter_.items()))


def _one(key: str, value: object, depth: int, budget: list[int]) -> Condition:
    _check_text(key)
    if key in ("$and", "$or"):
        if not isinstance(value, list) or not value:
            raise InvalidRequest(f"{key} takes a list of at least one filter, not {short(value)}.")
        join = and_ if key == "$and" else or_
        return join(*(_all_of(part, depth + 1, budget) for part in value))
    if key == "$not":
        return not_(_all_of(value, depth + 1, budget))
    if key.startswith("$"):
        raise InvalidRequest(
            f"There is no filter operator {short(key)} here; $and, $or and $not are."
        )
    operators = value if isinstance(value, Mapping) else {"$eq": value}
    if not operators:
        raise InvalidRequest(f"The filter on {short(key)} is an empty object; give it an operator.")
    return and_(*(_compare(key, op, operand, budget) for op, operand in operators.items()))


def _compare(key: str, operator: str, operand: object, budget: list[int]) -> Condition:
    if operator in ("$in", "$nin"):
        if not isinstance(operand, list):
            raise InvalidRequest(f"{operator} on {short(key)} takes a list, not {short(operand)}.")
        if not operand:
            _spend(budget)
        found = or_(false(), *(_compare(key, "$eq", one, budget) for one in operand))
        return found if operator == "$in" else not_(found)
    if operator == "$ne":
        return not_(_compare(key, "$eq", operand, budget))
    _spend(budget)
    if operator == "$exists":
        if not isinstance(operand, bool):
            raise InvalidRequest(
                f"$exists on {short(key)} takes true or false, not {short(operand)}."
            )
        of_all = key in _DOCUMENT_FIELDS or key in _VERSION_FIELDS
        present = true() if of_all else _in_metadata(key, true())
        return present if operand else not_(present)
    if operator not in _COMPARISONS:
        known = ", ".join([*_COMPARISONS, "$ne", "$in", "$nin", "$exists"])
        raise InvalidRequest(
            f"There is no operator {short(operator)}; on {short(key)} use one of {known}."
        )
    if isinstance(operand, bool) and operator != "$eq":
        raise InvalidRequest(f"{operator} on {short(key)} compares with {operand}: use $eq or $ne.")
    return _matches(key, _COMPARISONS[operator], _scalar(key, operand))


def _spend(budget: list[int]) -> None:
    """Count one more condition. Raises InvalidRequest."""
    budget[0] -= 1
    if budget[0] < 0:
        raise InvalidRequest(f"A filter may hold {MAX_CONDITIONS} conditions; this one holds more.")


def _matches(
    key: str, compare: Callable[[ColumnElement[Any], Scalar], Condition], value: Scalar
) -> Condition:
    if key in _DOCUMENT_FIELDS:
        return compare(_DOCUMENT_FIELDS[key], str(value))
    if key in _VERSION_FIELDS:
        live = (_live.c.document_id == documents.c.id) & (
            _live.c.version == documents.c.live_version
        )
        return exists(
            select(_live.c.version).where(live, compare(_VERSION_FIELDS[key], str(value)))
        )
    return _in_metadata(key, compare(document_metadata.c[_kind(value)], value))


def _equals(column: ColumnElement[Any], value: Scalar) -> Condition:
    if not isinstance(value, str):
        return column == value
    return and_(beginning(column) == beginning(literal(value)), column == value)


def _in_metadata(key: str, extra: Condition) -> Condition:
    rows = document_metadata.c
    return documents.c.id.in_(select(rows.document_id).where(rows.key == key, extra))


def _kind(value: Scalar) -> str:
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number"


def _scalar(key: str, value: object) -> Scalar:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidRequest(
            f"The filter on {short(key)} compares with {short(value)}, which isn't a number."
        )
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        raise InvalidRequest(
            f"The filter on {short(key)} compares with {short(value)}; beyond 2**53 use text."
        )
    if isinstance(value, str):
        _check_text(value)
    if isinstance(value, str | int | float):
        return value
    raise InvalidRequest(
        f"The filter on {short(key)} takes a string, number or boolean, not {short(value)}."
    )


def _check_text(text: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidRequest(f"The filter holds {short(text)}, which isn't whole Unicode text.")
