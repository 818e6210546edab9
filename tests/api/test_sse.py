from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.sse import event
from tests.api.replies import events_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.sampled_from(["token", "citation", "done"]), JSON), max_size=4))
def test_what_is_sent_is_what_is_read(sent: list[tuple[str, Any]]) -> None:
    stream = "".join(event(name, data) for name, data in sent)
    assert events_of(stream) == sent


@given(st.text())
def test_no_text_breaks_out_of_its_event(text: str) -> None:
    name, data, *end = event("token", {"text": text}).split("\n")
    assert (name, end) == ("event: token", ["", ""])
    assert "\r" not in data
