"""Who holds the keys: looked up when asked for, and looked up again a second later."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

import anyio
import anyio.to_thread
from fastapi import Depends, Request

from api.credentials import Credential, cookie_of
from api.rates import rates_of
from retrieval.database import Database
from retrieval.errors import Overloaded, Unauthorized
from retrieval.installation import installation
from retrieval.keys import ApiKey, ApiKeys
from retrieval.sessions import Sessions

FRESH = 1.0  # seconds that what was looked up is taken for true
GUESSES = 10  # credentials a minute that nobody has, from one network
REFUSALS = 30  # a minute that the audit log tells of one key
_LOOKUPS = 4  # side by side; apart from other calls, which may take long
_REMEMBERED = 10_000

T = TypeVar("T")

_NONE = "This server needs a key: send one as `Authorization: Bearer KEY`."
_UNKNOWN = "This key isn't known here. `footnote keys list` tells those that are."
_OVER = "The key {!r} is {}. `footnote keys create` makes another."


class Keyring:
    """Recognises credentials, and counts what is done with them. Of one event loop."""

    def __init__(
        self,
        keys: ApiKeys,
        sessions: Sessions,
        database: Database,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cookie = cookie_of(installation(database))  # that sessions are known by
        self._keys = keys
        self._sessions = sessions
        self._clock = clock
        self._rates = rates_of("key", database, clock)
        self._guesses = rates_of("guess", database, clock)
        self._refusals = rates_of("refusal", database, clock)
        self._closed, self._looked = False, -math.inf
        self._known: OrderedDict[Credential, tuple[float, ApiKey]] = OrderedDict()
        self._lookups = anyio.CapacityLimiter(_LOOKUPS)

    async def closed(self) -> bool:
        """Whether a key is needed: as soon as there is one, and from then on."""
        if not self._closed and self._clock() - self._looked >= FRESH:
            self._closed = await self._look(self._keys.any)
            self._looked = self._clock()
        return self._closed

    async def admit(self, credential: Credential | None, network: str) -> ApiKey:
        """The live key that a request shows. Raises Unauthorized, and Overloaded where too many
        are tried, or the key is used too often, here and in the processes that share the catalogue;
        StoreUnavailable.
        """
        if credential is None:
            raise Unauthorized(_NONE)
        key = await self._holder(credential)
        if key is None or key.state(time.time()) != "live":
            # Nobody with a key is held up by those who guess behind the same address, and an old
            # cookie is no guess: its page is to hear that it must sign in.
            if not credential.session and (wait := await self._guesses.take(network, GUESSES)):
                raise _later("Too many unknown keys were tried", wait)
            raise Unauthorized(_said(key))
        rate = key.allowance.rate
        if rate and (wait := await self._rates.take(key.id, rate)):
            raise _later(f"The key {key.name!r} may be used {rate} times a minute", wait)
        return key

    async def still(self, credential: Credential) -> bool:
        """Whether a credential that was admitted would still be."""
        key = await self._holder(credential)
        return key is not None and key.state(time.time()) == "live"

    async def notes_refusal(self, key_id: str) -> bool:
        """Whether one more call that a key isn't for is worth a line in the audit log. Raises
        StoreUnavailable.
        """
        return not await self._refusals.take(key_id, REFUSALS)

    def forget(self, credential: Credential) -> None:
        """Look it up anew the next time."""
        self._known.pop(credential, None)

    async def _holder(self, credential: Credential) -> ApiKey | None:
        at, key = self._known.get(credential, (-math.inf, None))
        if self._clock() - at < FRESH:
            return key
        source = self._sessions if credential.session else self._keys
        key = await self._look(partial(source.recognised, credential.secret))
        if key is None or key.state(time.time()) != "live":
            self.forget(credential)
            return key
        self._known[credential] = (self._clock(), key)
        self._known.move_to_end(credential)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        await self._look(partial(self._keys.note_use, key))
        return key

    async def _look(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._lookups)


def _said(key: ApiKey | None) -> str:
    return _OVER.format(key.name, key.state(time.time())) if key else _UNKNOWN


def _later(why: str, seconds: float) -> Overloaded:
    wait = math.ceil(seconds)
    return Overloaded(f"{why}. Try again in {wait} seconds.", wait)


def _keyring(request: Request) -> Keyring:
    keyring: Keyring = request.app.state.keyring
    return keyring


KeyringOf = Annotated[Keyring, Depends(_keyring)]
