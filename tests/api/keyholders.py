"""Keys for the tests of the interfaces, which are looked up each time."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import keyring
from retrieval.access import Scope
from retrieval.engine import Engine
from retrieval.keys import Allowance, ApiKey

MakeKey = Callable[..., tuple[ApiKey, dict[str, str]]]


def engine_of(client: TestClient) -> Engine:
    """What a client talks to."""
    engine: Engine = client.app.state.service.engine  # type: ignore[attr-defined]
    return engine


@pytest.fixture
def at_once() -> Iterator[None]:
    """What becomes of a key is seen at once, not within a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyring, "FRESH", 0.0)
        yield


@pytest.fixture
def make_key(client: TestClient, at_once: None) -> MakeKey:
    """Makes a key, by default for everything, and the header that shows it."""

    def make(
        *scopes: Scope, kb: str = "", days: float | None = None, **more: Any
    ) -> tuple[ApiKey, dict[str, str]]:
        names = frozenset({kb}) if kb else None
        allowance = Allowance(frozenset(scopes or Scope), names, **more)
        key, token = engine_of(client).keys.create("laptop", allowance, days)
        return key, {"Authorization": f"Bearer {token}"}

    return make
