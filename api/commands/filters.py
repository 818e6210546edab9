"""A metadata filter on the command line."""

import json

from retrieval.errors import InvalidRequest
from retrieval.filters import Filter


def parse_filter(text: str) -> Filter:
    """The filter that a JSON text stands for. Raises InvalidRequest."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"The filter isn't JSON: {error}.") from error
    if not isinstance(value, dict):
        raise InvalidRequest(f"A filter is a JSON object, not {value!r}.")
    return value
