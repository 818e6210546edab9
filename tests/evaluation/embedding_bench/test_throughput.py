from evaluation.embedding_bench.field import Field
from evaluation.embedding_bench.texts import TextSet
from evaluation.embedding_bench.throughput import rounds
from tests.evaluation.embedding_bench.conftest import Fake

SETS = [TextSet("s", ("a", "b")), TextSet("t", ("c",))]


def fakes(*fails_at: int) -> tuple[list[Fake], list[str]]:
    log: list[str] = []
    names = "ABC"
    return [
        Fake(name, log, seconds=at + 1.0, fails_at=fails)
        for at, (name, fails) in enumerate(zip(names, fails_at, strict=True))
    ], log


def test_targets_take_turns_and_each_round_another_is_first() -> None:
    field, log = fakes(99, 99, 99)
    seen: list[int] = []
    found = rounds(Field(field), SETS, 4, seen.append)
    assert [entry for entry in log if entry.endswith("s")] == [
        f"{name} s" for turn in ("ABC", "BCA", "CAB", "ABC") for name in turn
    ]
    assert log[:6] == ["A s", "B s", "C s", "A t", "B t", "C t"]
    assert found["C", "t"] == [3.0] * 4
    assert seen == list(range(1, 25))


def test_one_that_fails_is_out_and_the_others_go_on() -> None:
    participants, log = fakes(99, 3, 99)  # B fails in its third embedding, the second round's
    field = Field(participants)
    found = rounds(field, SETS, 3, lambda _: None)
    assert field.failures == {"B": "s went wrong"}
    assert participants[1].closed == 1
    assert [entry for entry in log if entry.startswith("B")] == ["B s", "B t"]
    assert len(found["A", "s"]) == len(found["C", "t"]) == 3
    assert [one.target.name for one in field.running] == ["A", "C"]
