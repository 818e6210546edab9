"""Anything that fits the native interface's own description, and much that doesn't, is answered as
that description says. `FUZZ_CASES=20000 pytest tests/fuzzing` sends so many requests.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from api.app import create_app
from api.settings import Settings
from tests.fuzzing.conftest import Target, fuzzed
from tests.fuzzing.world import KNOWN


def _without_keys() -> dict[str, Any]:
    """The description of a server that asks for none, as the one here is."""
    described = create_app(Settings()).openapi()
    del described["components"]["securitySchemes"]
    for calls in described["paths"].values():
        for call in calls.values():
            call.pop("security", None)
    return described


SCHEMA = schemathesis.openapi.from_dict(_without_keys())
SCHEMA.config.max_stream_events = 1  # those who follow the queue are told something at once
# What doesn't fit may be too large to be looked at.
REJECTING = SCHEMA.config.checks.negative_data_rejection
REJECTING.expected_statuses = [*REJECTING.expected_statuses, "413"]
OPERATIONS: list[Any] = [one.ok() for one in SCHEMA.get_all_operations() if isinstance(one, Ok)]
QUICK = 6  # cases of each operation in the test suite
# A description can't say which names and filters there may be.
UNCHECKED: list[CheckFunction] = [positive_data_acceptance]
# Of a form, what fits another branch of an `anyOf` than it was made for is taken for a misfit.
UNCHECKED_OF_FORMS = [*UNCHECKED, negative_data_rejection]


def _strategies(operation: Any) -> Iterator[st.SearchStrategy[Case[Any]]]:
    """Requests that fit the description and that don't, about what there is and what isn't."""
    known = {one.name: KNOWN for one in operation.path_parameters} or None
    yield operation.as_strategy(path_parameters=known)
    if known:
        yield operation.as_strategy()
    if operation.body or list(operation.query):
        yield operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=known)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_a_request_is_answered_as_described(operation: Any, alone: Target) -> None:
    @fuzzed(QUICK, len(OPERATIONS))
    @given(case=st.sampled_from(list(_strategies(operation))).flatmap(lambda kind: kind))
    def sent(case: Case[Any]) -> None:
        case.path_parameters = alone.world.with_ids(case.path_parameters)
        reply = case.call(base_url=alone.url, timeout=30)
        if case.method == "DELETE" and reply.status_code == 204:
            alone.world.build()
        alone.count(reply.status_code)
        is_form = case.media_type == "multipart/form-data"
        unchecked = UNCHECKED_OF_FORMS if is_form else UNCHECKED
        case.validate_response(reply, excluded_checks=unchecked)

    sent()
