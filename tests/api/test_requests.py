import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.requests import AskRequest, KnowledgeBaseRequest, Metadata, SearchRequest, TextDocument
from retrieval.types import KnowledgeBaseSettings

METADATA: TypeAdapter[Metadata] = TypeAdapter(Metadata)

SCALARS = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), SCALARS | st.lists(SCALARS, max_size=3)))
def test_metadata_is_taken_as_it_is(metadata: dict[str, Any]) -> None:
    taken = METADATA.validate_python(metadata)
    assert taken == metadata
    assert {k: type(v) for k, v in taken.items()} == {k: type(v) for k, v in metadata.items()}
    assert METADATA.validate_json(METADATA.dump_json(taken)) == metadata


@pytest.mark.parametrize(
    "value", [None, 2**53 + 1, math.nan, math.inf, {}, [[1]], [None], print], ids=repr
)
def test_metadata_holds_scalars_and_lists_of_them(value: Any) -> None:
    with pytest.raises(ValidationError):
        METADATA.validate_python({"key": value})


def test_defaults_of_the_interface_are_those_of_the_engine() -> None:
    assert KnowledgeBaseRequest().settings() == KnowledgeBaseSettings()


@pytest.mark.parametrize(
    "model",
    [AskRequest, KnowledgeBaseRequest, SearchRequest, TextDocument],
    ids=lambda m: m.__name__,
)
def test_a_request_takes_no_field_that_it_does_not_know(model: type[BaseModel]) -> None:
    known = {"query": "a", "question": "a", "text": "a"}
    body = {name: known[name] for name in model.model_fields if name in known}
    model.model_validate(body)
    with pytest.raises(ValidationError, match="tpyo"):
        model.model_validate(body | {"tpyo": 1})
