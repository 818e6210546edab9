from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from retrieval.abstention import THRESHOLD, probability
from retrieval.chat.extractive import Evidence

SHARES = st.floats(0, 1)
EVIDENCE = st.builds(Evidence, SHARES, SHARES, SHARES, st.floats(-1, 1), st.floats(-1, 1))


@given(EVIDENCE, st.sampled_from([field.name for field in fields(Evidence)]))
def test_more_evidence_never_makes_an_answer_less_likely(evidence: Evidence, name: str) -> None:
    more = replace(evidence, **{name: 1.0})
    assert 0 <= probability(evidence) <= probability(more) <= 1


def test_nothing_is_refused_and_everything_is_answered() -> None:
    assert probability(Evidence(0, 0, 0, 0, 0)) < 0.01
    assert probability(Evidence(1, 1, 1, 1, 1)) > 0.9
    assert probability(Evidence(0.1, 0.1, 0.2, 0.3, 0.3)) < THRESHOLD
