"""Sessions: browsers that were given a key, and hold another secret in its place.

The key itself needn't be kept by a browser then, and leaving ends the session, not the key.
"""

import secrets
import time
from collections.abc import Callable

from sqlalchemy import delete, select

from retrieval.database import Database
from retrieval.keys import ApiKey, ApiKeys, digest
from retrieval.schema import sessions

LASTS = 30 * 24 * 3600  # seconds


class Sessions:
    """Opens, recognises and ends sessions. Any thread, and any process, may."""

    def __init__(
        self, database: Database, keys: ApiKeys, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock

    def open(self, key: ApiKey) -> str:
        """The secret of a new session of a key's holder. Those that are over are forgotten."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            connection.execute(
                sessions.insert().values(
                    digest=digest(secret), key_id=key.id, expires_at=now + LASTS
                )
            )
        return secret

    def recognised(self, secret: str) -> ApiKey | None:
        """The key of a session, be it live or not; None where there is no such session."""
        mine = (sessions.c.digest == digest(secret)) & (sessions.c.expires_at > self._clock())
        with self._database.read() as connection:
            key_id = connection.scalar(select(sessions.c.key_id).where(mine))
        return self._keys.get(key_id) if key_id else None

    def end(self, secret: str) -> None:
        """Forget a session, if there is one."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest(secret)))
