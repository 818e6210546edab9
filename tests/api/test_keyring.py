from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from api import keyring
from api.credentials import Credential
from api.keyring import FRESH, GUESSES, Keyring
from retrieval.access import Scope
from retrieval.database import Database
from retrieval.errors import Overloaded, Unauthorized
from retrieval.keys import Allowance, ApiKeys
from retrieval.sessions import Sessions
from tests.clock import Clock

READ = Allowance(frozenset({Scope.READ}))
HERE = "127.0.0.1"


class Counted(ApiKeys):
    """Keys that count how often they are looked up."""

    looks = 0

    def recognised(self, token: str) -> Any:
        self.looks += 1
        return super().recognised(token)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path) -> Counted:
    return Counted(Database.at(tmp_path / "catalogue.sqlite"))


@pytest.fixture
def ring(keys: Counted, clock: Callable[[], float]) -> Keyring:
    return Keyring(keys, Sessions(keys._database, keys), keys._database, clock)


def test_a_key_closes_the_door_within_a_second(ring: Keyring, keys: Counted, clock: Clock) -> None:
    async def closed() -> None:
        assert not await ring.closed()
        keys.create("laptop", READ)
        assert not await ring.closed()
        clock.now += FRESH
        assert await ring.closed()

    anyio.run(closed)


def test_a_key_is_looked_up_once_a_second(ring: Keyring, keys: Counted, clock: Clock) -> None:
    key, token = keys.create("laptop", READ)
    shown = Credential(token)

    async def used() -> None:
        for _ in range(10):
            assert (await ring.admit(shown, HERE)).id == key.id
        assert keys.looks == 1
        keys.revoke(key.id)
        clock.now += FRESH
        assert not await ring.still(shown)
        with pytest.raises(Unauthorized, match="revoked"):
            await ring.admit(shown, HERE)

    anyio.run(used)


def test_what_was_forgotten_is_looked_up_anew(ring: Keyring, keys: Counted) -> None:
    _, token = keys.create("laptop", READ)

    async def used() -> None:
        await ring.admit(Credential(token), HERE)
        ring.forget(Credential(token))
        await ring.admit(Credential(token), HERE)

    anyio.run(used)
    assert keys.looks == 2


def test_guesses_are_few_and_hold_up_nobody_with_a_key(
    ring: Keyring, keys: Counted, clock: Clock
) -> None:
    _, token = keys.create("laptop", READ)

    async def guessed() -> None:
        for number in range(GUESSES):
            with pytest.raises(Unauthorized):
                await ring.admit(Credential(f"fn_{number}_x"), HERE)
        with pytest.raises(Overloaded) as refused:
            await ring.admit(Credential("another"), HERE)
        assert refused.value.retry_after == 60
        assert (await ring.admit(Credential(token), HERE)).name == "laptop"
        with pytest.raises(Unauthorized):
            await ring.admit(Credential("another"), "192.0.2.1")
        clock.now += 60.0
        with pytest.raises(Unauthorized):
            await ring.admit(Credential("another"), HERE)

    anyio.run(guessed)


def test_a_key_that_is_over_is_a_guess_like_others(
    ring: Keyring, keys: Counted, clock: Clock
) -> None:
    key, token = keys.create("laptop", READ)

    async def used() -> None:
        await ring.admit(Credential(token), HERE)
        keys.revoke(key.id)
        clock.now += FRESH
        for _ in range(GUESSES):
            with pytest.raises(Unauthorized, match="revoked"):
                await ring.admit(Credential(token), HERE)
        with pytest.raises(Overloaded):
            await ring.admit(Credential(token), HERE)

    anyio.run(used)


def test_an_old_cookie_is_no_guess(ring: Keyring, keys: Counted) -> None:
    keys.create("laptop", READ)

    async def shown() -> None:
        for _ in range(GUESSES + 5):
            with pytest.raises(Unauthorized):
                await ring.admit(Credential("old", session=True), HERE)

    anyio.run(shown)


def test_nothing_shown_is_no_guess(ring: Keyring, keys: Counted) -> None:
    keys.create("laptop", READ)

    async def asked() -> None:
        for _ in range(GUESSES + 5):
            with pytest.raises(Unauthorized, match="needs a key"):
                await ring.admit(None, HERE)

    anyio.run(asked)


def test_it_remembers_a_bounded_number(
    ring: Keyring, keys: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "_REMEMBERED", 3)
    tokens = [keys.create("laptop", READ)[1] for _ in range(6)]

    async def used() -> None:
        for token in tokens:
            await ring.admit(Credential(token), HERE)

    anyio.run(used)
    assert len(ring._known) == 3
