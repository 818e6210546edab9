"""The fields of a set's rows: ids and texts, refused where they are something else."""

from collections.abc import Mapping
from typing import Any

from evaluation.errors import DatasetError


def id_in(row: Mapping[str, Any], field: str, place: str) -> str:
    """An id, which may be a number; not null, nor empty. Raises DatasetError."""
    value = row[field]
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise DatasetError(f"{place}: `{field}` is {value!r}, not an id: a text or a number.")
    return whole(str(value), field, place)


def text_in(row: Mapping[str, Any], field: str, place: str) -> str:
    """A text. Raises DatasetError."""
    value = row[field]
    if not isinstance(value, str):
        raise DatasetError(f"{place}: `{field}` is {value!r}, not a text.")
    return whole(value, field, place)


def question_in(row: Mapping[str, Any], field: str, place: str, key: str) -> str:
    """A text that isn't blank, or nothing could be searched for. Raises DatasetError."""
    text = text_in(row, field, place)
    if not text.strip():
        raise DatasetError(f"{place}: the question {key!r} is empty.")
    return text


def whole(text: str, field: str, place: str) -> str:
    """The text itself. Raises DatasetError where half of a surrogate pair is in it, as `\\ud800`
    in JSON makes: that is in no Unicode, and could be neither stored nor printed.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(f"{place}: `{field}` isn't whole Unicode: {error}.") from error
    return text
