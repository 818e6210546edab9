import json
from dataclasses import replace

import pytest

from retrieval.conversation import Turn
from retrieval.records import Record
from tests.retrieval.recorded import candidate, citation, record

ASKED, SAID = Turn("user", "Hello"), Turn("assistant", "It runs. [1]")
MADE = [
    record(),
    record([ASKED, SAID], prompt=[Turn("system", "Rules"), ASKED], seed=7, stop=["."]),
    record(candidates=[], citations=[]),
]


@pytest.mark.parametrize("made", MADE)
def test_a_record_comes_back_from_json_to_the_last_bit(made: Record) -> None:
    assert Record.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_without_a_weighing_it_comes_back_too() -> None:
    made = record()
    plain = replace(made, configuration=replace(made.configuration, weighing=None))
    assert Record.from_json(plain.to_json()) == plain


def test_its_documents_are_all_that_text_of_is_in_it() -> None:
    made = record(candidates=[candidate("a"), candidate("b")], citations=[citation("c")])
    closest = replace(made, said=replace(made.said, closest=(citation("d"),)))
    assert closest.documents == {"a", "b", "c", "d"}


def test_it_continues_where_an_answer_was_given_before() -> None:
    assert [record(history).continues for history in ([], [ASKED], [ASKED, SAID])] == [
        False,
        False,
        True,
    ]


def test_its_seed_is_the_one_that_was_sent() -> None:
    assert (record().seed, record(seed=42).seed) == (None, 42)
