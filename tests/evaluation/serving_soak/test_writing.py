"""What clients write: the same by the same seed, and never what another has."""

from evaluation.serving_soak.writing import Writer
from ingest.parsers.characters import tidy


def test_facts_are_said_once_at_both_ends_and_nobody_else_has_them() -> None:
    writings = [writer.new() for writer in (Writer(n, 0) for n in range(5)) for _ in range(40)]
    texts = "\n".join(writing.text for writing in writings)
    facts = [fact for writing in writings for fact in writing.facts]
    assert len({fact.value for fact in facts}) == len({f.question for f in facts}) == len(facts)
    assert len({writing.uri for writing in writings}) == len(writings)
    for writing in writings:
        first, last = writing.facts
        assert writing.text.startswith(first.sentence)
        assert writing.text.endswith(last.sentence)
        assert tidy(writing.text) == writing.text  # as the server keeps it
        for fact in writing.facts:
            assert fact.value in fact.sentence
            assert texts.count(fact.sentence) == 1
    chinese = sum(writing.title.startswith("登记") for writing in writings)
    assert 0.2 < chinese / len(writings) < 0.5


def test_a_revision_keeps_what_it_is_about() -> None:
    writer = Writer(3, 0)
    kept = 0
    for _ in range(30):
        known = writer.new()
        revised = writer.revised(known)
        assert (revised.uri, revised.title) == (known.uri, known.title)
        assert [f.question for f in revised.facts] == [f.question for f in known.facts]
        assert revised.facts[1].value != known.facts[1].value
        assert known.facts[1].value not in revised.text
        kept += revised.facts[0] == known.facts[0]
    assert 0 < kept < 30


def test_the_seed_decides() -> None:
    assert Writer(1, 7).new() == Writer(1, 7).new()
    assert Writer(1, 7).new() != Writer(1, 8).new()
    assert Writer(1, 7).new() != Writer(2, 7).new()
