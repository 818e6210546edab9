from pathlib import Path

import pytest
from sqlalchemy import func, select

from retrieval.access import Scope
from retrieval.database import Database
from retrieval.keys import Allowance, ApiKey, ApiKeys
from retrieval.schema import sessions as table
from retrieval.sessions import LASTS, Sessions
from tests.catalogues import catalogue_in
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return catalogue_in(tmp_path)


@pytest.fixture
def key(database: Database) -> ApiKey:
    return ApiKeys(database).create("laptop", Allowance(frozenset({Scope.READ})))[0]


@pytest.fixture
def sessions(database: Database, clock: Clock) -> Sessions:
    return Sessions(database, ApiKeys(database), clock)


def test_a_session_is_of_its_key_until_it_ends(sessions: Sessions, key: ApiKey) -> None:
    one, other = sessions.open(key), sessions.open(key)
    assert one != other
    assert sessions.recognised(one) == sessions.recognised(other) == key
    sessions.end(one)
    assert sessions.recognised(one) is None
    assert sessions.recognised(other) == key
    assert sessions.recognised("") is None
    sessions.end("there is none")


def test_a_session_is_over_after_a_while_and_forgotten_with_the_next(
    sessions: Sessions, key: ApiKey, clock: Clock, database: Database
) -> None:
    secret = sessions.open(key)
    clock.now += LASTS
    assert sessions.recognised(secret) is None
    sessions.open(key)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(table)) == 1
        assert secret not in str(connection.execute(select(table)).all())


def test_a_session_of_a_revoked_key_tells_that_it_is(
    sessions: Sessions, key: ApiKey, database: Database
) -> None:
    secret = sessions.open(key)
    ApiKeys(database).revoke(key.id)
    found = sessions.recognised(secret)
    assert found is not None
    assert found.revoked_at is not None
