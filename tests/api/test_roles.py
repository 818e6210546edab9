from typing import Any

import pytest
from pydantic import SecretStr

from api import roles
from api.settings import Settings
from retrieval.errors import InvalidRequest

SHARED = SecretStr("postgresql://footnote@db/footnote")


def _settings(**given: Any) -> Settings:
    return Settings(**given)


@pytest.mark.parametrize("url", ["", "sqlite:///catalogue.sqlite"])
def test_nobody_works_beside_a_catalogue_that_is_not_shared(url: str) -> None:
    alone = _settings(database_url=SecretStr(url))
    with pytest.raises(InvalidRequest, match="`footnote serve` ingests by itself"):
        roles.check_working(alone)
    roles.check_serving(alone)
    with pytest.raises(InvalidRequest, match="FOOTNOTE_DATABASE_URL"):
        roles.check_serving(_settings(database_url=SecretStr(url), ingest_workers=0))


def test_of_processes_that_share_one_some_serve_and_some_work() -> None:
    roles.check_serving(_settings(database_url=SHARED, ingest_workers=0))
    roles.check_working(_settings(database_url=SHARED, sync="kb=folder"))
    with pytest.raises(InvalidRequest, match="do nothing"):
        roles.check_working(_settings(database_url=SHARED, ingest_workers=0))
    with pytest.raises(InvalidRequest, match="FOOTNOTE_SYNC"):
        roles.check_serving(_settings(database_url=SHARED, ingest_workers=0, sync="kb=folder"))
