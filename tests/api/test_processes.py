"""Two servers over one catalogue: what one is told holds at the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.keyring import GUESSES
from tests.api.another_client import beside
from tests.api.keyholders import MakeKey, at_once, engine_of, make_key
from tests.api.replies import assert_problem
from tests.catalogues import on_postgres

__all__ = ["at_once", "make_key"]

pytestmark = on_postgres


@pytest.fixture
def other(client: TestClient, tmp_path: Path) -> Iterator[TestClient]:
    with beside(client, tmp_path / "other") as another:
        yield another


def test_a_key_is_used_no_more_often_by_asking_another(
    client: TestClient, other: TestClient, make_key: MakeKey
) -> None:
    _, shows = make_key(rate=5)
    asked = [(client, other)[n % 2].get("/kb", headers=shows) for n in range(8)]
    assert [reply.status_code for reply in asked] == [200] * 5 + [429] * 3
    assert 0 < int(asked[-1].headers["retry-after"]) <= 61


def test_keys_are_guessed_no_more_often_by_asking_another(
    client: TestClient, other: TestClient, make_key: MakeKey
) -> None:
    make_key()
    guessed = [
        (client, other)[n % 2].get("/kb", headers={"Authorization": f"Bearer fn_{n}_x"})
        for n in range(GUESSES + 2)
    ]
    assert [reply.status_code for reply in guessed] == [401] * GUESSES + [429] * 2


def test_a_key_that_is_revoked_here_opens_nothing_there(
    client: TestClient, other: TestClient, make_key: MakeKey
) -> None:
    key, shows = make_key()
    assert other.get("/kb", headers=shows).status_code == 200
    engine_of(client).keys.revoke(key.id)
    assert_problem(other.get("/kb", headers=shows), 401, "revoked")


def test_who_signed_in_here_is_known_there_until_they_leave(
    client: TestClient, other: TestClient, make_key: MakeKey
) -> None:
    _, shows = make_key()
    token = shows["Authorization"].removeprefix("Bearer ")
    client.post("/session", json={"key": token}).raise_for_status()
    other.cookies.update(client.cookies)
    assert other.get("/session").json()["key"] is not None
    client.delete("/session").raise_for_status()
    assert other.get("/kb").status_code == 401
