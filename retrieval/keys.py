"""Keys in the catalogue: made, listed, revoked, recognised. Of a secret only its SHA-256 is kept.

A secret has 256 random bits, so nothing slower than a plain hash is needed to keep it.
"""

import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, exists, select, update

from retrieval.access import Principal, Scope
from retrieval.database import Database
from retrieval.errors import InvalidRequest, KeyNotFound
from retrieval.schema import api_keys

_PREFIX = "fn"
_MAX_NAME = 100
_DAY = 24 * 3600.0
_NOTED = 3600.0  # seconds; a use is written down again only after that


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key is for.

    `knowledge_bases` by name, None: all. `rate` is requests a minute, `max_documents` how many
    its knowledge bases may hold together; None: any number.
    """

    scopes: frozenset[Scope]
    knowledge_bases: frozenset[str] | None = None
    rate: int | None = None
    max_documents: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. Times are those of `time.time`."""

    id: str
    name: str
    allowance: Allowance
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    last_used_at: float | None

    @property
    def principal(self) -> Principal:
        """Who its holder is."""
        allowed = self.allowance
        return Principal(self.id, allowed.scopes, allowed.knowledge_bases, allowed.max_documents)

    def state(self, now: float) -> str:
        """`live`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if now >= (self.expires_at or math.inf) else "live"


class ApiKeys:
    """Makes, finds and revokes keys. Any thread, and any process, may."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def create(
        self, name: str, allowance: Allowance, days: float | None = None
    ) -> tuple[ApiKey, str]:
        """A new key, and its token, which can't be had again. Raises InvalidRequest."""
        _check(name, allowance, days)
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        now = self._clock()
        key = ApiKey(
            id=key_id,
            name=name,
            allowance=allowance,
            created_at=now,
            expires_at=None if days is None else now + days * _DAY,
            revoked_at=None,
            last_used_at=None,
        )
        with self._database.write() as connection:
            connection.execute(
                api_keys.insert().values(
                    id=key_id,
                    name=name,
                    digest=digest(secret),
                    scopes=sorted(allowance.scopes),
                    knowledge_bases=_listed(allowance.knowledge_bases),
                    rate=allowance.rate,
                    max_documents=allowance.max_documents,
                    created_at=now,
                    expires_at=key.expires_at,
                )
            )
        return key, f"{_PREFIX}_{key_id}_{secret}"

    def all(self) -> list[ApiKey]:
        """All that there ever were, the oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        with self._database.read() as connection:
            return [_from_row(row) for row in connection.execute(query)]

    def any(self) -> bool:
        """Whether there ever was a key. One that is revoked counts: what was closed stays so."""
        with self._database.read() as connection:
            return bool(connection.scalar(select(exists(select(api_keys.c.id)))))

    def get(self, key_id: str) -> ApiKey | None:
        with self._database.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).first()
        return _from_row(row) if row else None

    def recognised(self, token: str) -> ApiKey | None:
        """The key that a token is of, be it live or not; None where it is of none."""
        prefix, _, rest = token.partition("_")
        key_id, _, secret = rest.partition("_")
        with self._database.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).first()
        kept = row.digest if row else digest("")
        same = hmac.compare_digest(digest(secret), kept)
        return _from_row(row) if row and same and prefix == _PREFIX else None

    def revoke(self, name: str) -> ApiKey:
        """The key with this id, or the live one of this name, which is valid no more.

        Raises KeyNotFound, and InvalidRequest where several live ones have the name.
        """
        now = self._clock()
        with self._database.write() as connection:
            found = [_from_row(row) for row in connection.execute(select(api_keys))]
            meant = [key for key in found if key.id == name] or [
                key for key in found if key.name == name and key.state(now) == "live"
            ]
            if not meant:
                raise KeyNotFound(name)
            if len(meant) > 1:
                ids = ", ".join(key.id for key in meant)
                raise InvalidRequest(
                    f"Several keys are named {name!r}: revoke one by its id, {ids}."
                )
            [key] = meant
            if key.revoked_at is None:
                mine = update(api_keys).where(api_keys.c.id == key.id)
                connection.execute(mine.values(revoked_at=now))
        return self.get(key.id) or key

    def note_use(self, key: ApiKey) -> None:
        """Write down that a key is used, if that wasn't written lately."""
        now = self._clock()
        if now - (key.last_used_at or 0.0) < _NOTED:
            return
        with self._database.write() as connection:
            mine = update(api_keys).where(api_keys.c.id == key.id)
            connection.execute(mine.values(last_used_at=now))


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(name: str, allowance: Allowance, days: float | None) -> None:
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        raise InvalidRequest(
            f"{name[:200]!r} can't name a key: use 1 to {_MAX_NAME} printable characters."
        )
    if not allowance.scopes:
        raise InvalidRequest(f"A key needs a scope: {', '.join(Scope)}.")
    if allowance.knowledge_bases is not None and not allowance.knowledge_bases:
        raise InvalidRequest("A key for no knowledge base would open nothing: name one, or none.")
    for what, number in (("rate", allowance.rate), ("documents", allowance.max_documents)):
        if number is not None and number < 1:
            raise InvalidRequest(f"{what} is {number}; it is at least 1.")
    if days is not None and not 0 < days < math.inf:
        raise InvalidRequest(f"A key can't expire after {days} days; it takes more than 0.")


def _listed(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _from_row(row: Row[*tuple[Any, ...]]) -> ApiKey:
    names = row.knowledge_bases
    return ApiKey(
        id=row.id,
        name=row.name,
        allowance=Allowance(
            scopes=frozenset(map(Scope, row.scopes)),
            knowledge_bases=None if names is None else frozenset(names),
            rate=row.rate,
            max_documents=row.max_documents,
        ),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
