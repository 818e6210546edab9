import math
from datetime import UTC, datetime

from api.wire.models import Card
from api.wire.names import ModelName
from api.wire.residence import Residence
from tests.clock import Clock


def card(name: str) -> Card:
    return Card(
        name=ModelName(name),
        digest="0",
        size=1,
        modified_at=datetime(2026, 1, 1, tzinfo=UTC),
        capabilities=(),
        format="",
        family="",
        parameter_size="",
        quantization="",
        context_length=1,
    )


def test_a_length_of_stay_holds_until_another_is_given() -> None:
    clock = Clock(1_000)
    residence = Residence(clock)
    residence.use(card("a"), None)
    assert [r.expires_at for r in residence.residents()] == [1_300]
    residence.use(card("a"), 60)
    clock.now += 30
    residence.use(card("a"), None)  # keeps the 60
    assert [r.expires_at for r in residence.residents()] == [1_090]
    clock.now += 61
    assert residence.residents() == []
    residence.use(card("a"), None)  # loaded anew: the usual length
    assert residence.residents()[0].expires_at == clock.now + 300


def test_for_ever_and_not_at_all() -> None:
    residence = Residence(Clock(1_000))
    residence.use(card("a"), math.inf)
    residence.use(card("b"), 5)
    assert [r.card.name.model for r in residence.residents()] == ["a", "b"]
    residence.use(card("a"), 0)
    residence.use(card("never loaded"), 0)
    assert [r.card.name.model for r in residence.residents()] == ["b"]
