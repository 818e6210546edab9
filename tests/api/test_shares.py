import pytest

from api.shares import Room
from retrieval.access import NOBODY, Principal, Scope, acting_as
from retrieval.errors import Overloaded

ANN, BOB = (Principal(name, frozenset(Scope), None) for name in ("ann", "bob"))


def _taken(room: Room, *holders: Principal) -> list[int]:
    """How much each gets who takes one after another, in turns, until none gets more."""
    got = [0] * len(holders)
    stopped: set[int] = set()

    def turn(at: int) -> None:
        if len(stopped) == len(holders):
            return
        if at in stopped:
            turn((at + 1) % len(holders))
            return
        with acting_as(holders[at]), room.share() as take:
            if take(1):
                got[at] += 1
            else:
                stopped.add(at)
            turn((at + 1) % len(holders))

    turn(0)
    return got


def test_one_holder_leaves_half_and_two_a_third() -> None:
    room = Room(12)
    assert _taken(room, ANN) == [6]
    assert _taken(room, ANN, BOB) == [4, 4]
    assert _taken(room, ANN, BOB, NOBODY) == [3, 3, 3]
    assert room.taken == 0  # all of it came back


def test_all_is_there_for_whoever_asks_where_there_are_no_keys() -> None:
    room = Room(3)
    with room.share() as take:
        assert [take(2), take(2), take(1), take(1)] == [True, False, True, False]
        assert room.taken == 3
    assert room.taken == 0


def test_a_place_is_refused_and_given_back_also_after_an_error() -> None:
    room = Room(2)
    with acting_as(ANN):
        with pytest.raises(ZeroDivisionError), room.place("full"):
            1 / 0  # noqa: B018
        with room.place("full"):
            with pytest.raises(Overloaded, match="full"), room.place("full"):
                pass
            with acting_as(BOB), pytest.raises(Overloaded), room.place("full"):
                pass
    assert room.taken == 0
