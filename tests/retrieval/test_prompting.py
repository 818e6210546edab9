from retrieval.conversation import Turn
from retrieval.prompting import compose, estimate
from retrieval.types import Chunk, Hit


def hit(number: int, text: str = "Some words of a passage.") -> Hit:
    chunk = Chunk(str(number), "d", "v", number, 0, len(text), ("Part", "Section"), "", 9)
    return Hit(chunk, "uri", f"Title {number}", text, "iv", 1.0, number, ())


def test_passages_are_numbered_with_their_place() -> None:
    prompt = compose("How long?", [hit(1), hit(2)], (), "Be kind.", 4_000)
    system, last = prompt.messages
    assert system.role == "system" and system.content.startswith("Be kind.\n\nAnswer the question")
    assert "[1] Title 1, page iv (Part › Section)\nSome words" in last.content
    assert "[2] Title 2" in last.content
    assert last.content.endswith("\n\nQuestion: How long?")
    assert (len(prompt.passages), prompt.dropped, prompt.turns_dropped) == (2, 0, 0)


def test_what_has_no_room_is_left_out_whole_and_counted() -> None:
    hits = [hit(n, "word " * 200) for n in range(20)]
    turns = [Turn("user" if n % 2 else "assistant", f"turn {n} " * 40) for n in range(20)]
    prompt = compose("How long?", hits, turns, "", 2_000)
    assert 0 < len(prompt.passages) < 20
    assert prompt.dropped == 20 - len(prompt.passages)
    kept = [turn.content for turn in prompt.messages[1:-1]]
    assert kept == [turn.content for turn in turns[prompt.turns_dropped :]]
    assert sum(estimate(turn.content) for turn in prompt.messages) <= prompt.tokens <= 2_000


def test_the_best_passage_always_stays() -> None:
    prompt = compose("How long?", [hit(1, "word " * 5_000), hit(2)], (), "", 1_000)
    assert len(prompt.passages) == 1
    assert prompt.tokens > 1_000  # and it is known to be too long


def test_what_the_system_says_is_no_turn() -> None:
    prompt = compose(
        "How long?", [hit(1)], (Turn("system", "x"), Turn("user", "before")), "", 4_000
    )
    assert [turn.role for turn in prompt.messages] == ["system", "user", "user"]


def test_an_estimate_is_rather_too_high() -> None:
    assert estimate("The warranty lasts twenty-four months from the day of delivery.") > 12
    assert estimate("运费险的理赔时限是七天") >= 10
