from dataclasses import replace

from retrieval.changes import Change
from retrieval.conversation import Turn
from retrieval.records import Record, StoredAnswer
from retrieval.replays import Replay
from tests.retrieval.recorded import candidate, citation, record

PROMPT = (Turn("system", "Rules"), Turn("user", "Sources\nQuestion"))


def replayed(before: Record, now: Record) -> Replay:
    return Replay(StoredAnswer("a", "kb", 0.0, before), now)


def test_the_same_is_said_to_be_the_same() -> None:
    found = replayed(record(), record())
    assert found.same and found.same_candidates and found.same_prompt and found.same_answer
    assert not found.by_chat_model
    told = (found.changes, found.came, found.gone, found.moved, found.prompt, found.text)
    assert (*told, found.cited, found.uncited, found.judged) == ((),) * 9


def test_a_score_that_differs_in_its_last_bit_differs() -> None:
    found = replayed(record(), record(candidates=[candidate(score=0.8)]))
    assert not found.same and found.same_answer
    assert [(one.score, other.score) for one, other in found.moved] == [(0.1 + 0.7, 0.8)]
    assert (found.came, found.gone) == ((), ())


def test_candidates_come_go_and_move() -> None:
    a, b, c = (candidate(name, rank) for rank, name in enumerate("abc", 1))
    found = replayed(record(candidates=[a, b]), record(candidates=[b := replace(b, rank=1), c]))
    assert (found.gone, found.came) == ((a,), (c,))
    assert found.moved == ((replace(b, rank=2), b),)


def test_another_order_of_the_same_candidates_differs() -> None:
    a, b = candidate("a"), candidate("b")
    assert not replayed(record(candidates=[a, b]), record(candidates=[b, a])).same


def test_what_a_chat_model_says_is_shown_and_not_counted() -> None:
    before = record(prompt=PROMPT, text="One.")
    found = replayed(before, record(prompt=PROMPT, text="Two.", citations=[]))
    assert found.same and found.by_chat_model and not found.same_answer
    assert found.text[-2:] == ("-One.", "+Two.")
    assert (found.cited, found.uncited) == ((), (citation(),))


def test_another_prompt_counts() -> None:
    other = (PROMPT[0], Turn("user", "Sources\nAnother question"))
    found = replayed(record(prompt=PROMPT), record(prompt=other))
    assert not found.same
    assert found.prompt[-2:] == ("-Question", "+Another question")
    assert not replayed(record(prompt=PROMPT), record()).by_chat_model


def test_quotes_count() -> None:
    found = replayed(record(), record(text="It stands. [1]"))
    assert found.same_candidates and not found.same


def test_what_decides_is_told_by_name() -> None:
    before, now = record(), replace(record(), epoch=5, digest="new")
    settings = replace(now.configuration.settings, dense_weight=0.5)
    now = replace(now, configuration=replace(now.configuration, settings=settings))
    assert replayed(before, now).changes == (
        Change("epoch", "3", "5"),
        Change("digest", "", "new"),
        Change("settings.dense_weight", "None", "0.5"),
    )


def test_how_sure_it_is_is_told() -> None:
    found = replayed(record(), record(citations=[citation(support=0.5)]))
    assert found.judged == (Change("support.d1.md 3-13", "0.6", "0.5"),)
