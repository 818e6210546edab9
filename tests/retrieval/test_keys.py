import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from retrieval.access import Scope
from retrieval.database import Database
from retrieval.errors import InvalidRequest, KeyNotFound
from retrieval.keys import Allowance, ApiKeys
from retrieval.schema import api_keys
from tests.catalogues import catalogue_in
from tests.clock import Clock

READ = Allowance(frozenset({Scope.READ}))
FULL = Allowance(frozenset(Scope), frozenset({"a", "b"}), rate=60, max_documents=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return catalogue_in(tmp_path)


@pytest.fixture
def keys(database: Database, clock: Callable[[], float]) -> ApiKeys:
    return ApiKeys(database, clock)


def test_a_token_is_recognised_and_nothing_else_is(keys: ApiKeys) -> None:
    key, token = keys.create("laptop", FULL, days=1)
    assert re.fullmatch(r"fn_[0-9a-f]{12}_[\w-]{43}", token)
    assert keys.recognised(token) == key == keys.get(key.id)
    assert key.allowance == FULL
    assert key.principal.knowledge_bases == frozenset({"a", "b"})
    other = keys.create("other", READ)[0]
    secret = token.split("_", 2)[2]
    for wrong in (
        token[:-1],
        token + "x",
        token.replace("fn_", "xx_"),
        f"fn_{other.id}_{secret}",
        f"fn_{key.id}_",
        f"fn__{secret}",
        secret,
        "",
        "fn",
        "fn_\0_",
    ):
        assert keys.recognised(wrong) is None, wrong


def test_no_secret_is_kept(keys: ApiKeys, database: Database) -> None:
    _, token = keys.create("laptop", READ)
    secret = token.split("_", 2)[2]
    with database.read() as connection:
        row = connection.execute(select(api_keys)).one()
    assert secret not in str(row)
    assert len(row.digest) == 64


def test_a_key_ends_when_it_is_revoked_or_expires(keys: ApiKeys, clock: Clock) -> None:
    lasting = keys.create("lasting", READ)[0]
    clock.now += 1
    short = keys.create("short", READ, days=2)[0]
    assert (lasting.state(clock()), short.state(clock())) == ("live", "live")
    clock.now += 2 * 24 * 3600
    assert (lasting.state(clock()), short.state(clock())) == ("live", "expired")
    assert keys.revoke("lasting").state(clock()) == "revoked"
    again = keys.revoke(lasting.id)
    assert again.revoked_at == clock.now  # as it was the first time
    assert [key.state(clock()) for key in keys.all()] == ["revoked", "expired"]


def test_there_was_a_key_even_if_it_is_revoked(keys: ApiKeys) -> None:
    assert not keys.any()
    keys.create("laptop", READ)
    keys.revoke("laptop")
    assert keys.any()


def test_a_name_that_several_have_is_no_way_to_revoke_one(keys: ApiKeys) -> None:
    first, second = (keys.create("laptop", READ)[0] for _ in range(2))
    with pytest.raises(InvalidRequest, match=first.id):
        keys.revoke("laptop")
    keys.revoke(first.id)
    assert keys.revoke("laptop").id == second.id
    with pytest.raises(KeyNotFound, match="laptop"):
        keys.revoke("laptop")


def test_a_use_is_noted_once_an_hour(keys: ApiKeys, clock: Clock) -> None:
    key = keys.create("laptop", READ)[0]
    times = []
    for later in (0, 60, 3_600):
        clock.now += later
        found = keys.get(key.id)
        assert found is not None
        keys.note_use(found)
        noted = keys.get(key.id)
        assert noted is not None
        times.append(noted.last_used_at)
    assert times == [1_000_000.0, 1_000_000.0, clock.now]


@pytest.mark.parametrize(
    ("name", "allowance", "days", "said"),
    [
        ("", READ, None, "name a key"),
        ("x" * 101, READ, None, "name a key"),
        ("a\nb", READ, None, "name a key"),
        ("a", Allowance(frozenset()), None, "read, write, admin"),
        ("a", Allowance(READ.scopes, frozenset()), None, "open nothing"),
        ("a", Allowance(READ.scopes, rate=0), None, "rate is 0"),
        ("a", Allowance(READ.scopes, max_documents=0), None, "documents is 0"),
        ("a", READ, 0.0, "expire"),
        ("a", READ, float("nan"), "expire"),
    ],
)
def test_keys_that_cannot_be(
    keys: ApiKeys, name: str, allowance: Allowance, days: float | None, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        keys.create(name, allowance, days)
    assert keys.all() == []
