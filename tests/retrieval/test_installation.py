"""Two installations that are told of the same Chroma database, or the same place in a bucket."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Source
from retrieval.engine import Engine, open_engine
from retrieval.errors import StoreUnavailable
from retrieval.settings import EngineSettings
from retrieval.stores.chroma import ChromaVectorStores
from retrieval.stores.chroma_settings import ChromaSettings
from retrieval.stores.s3_blobs import S3Blobs
from tests.catalogues import engine_settings


@pytest.fixture
def at_servers(tmp_path: Path, chroma_url: str, bucket: str) -> EngineSettings:
    """An installation with a Chroma database and a prefix of its own."""
    name = f"test-{uuid4().hex}"
    chroma = ChromaSettings(chroma_url, database=name)
    return engine_settings(tmp_path / "data", chroma=chroma, blobs_url=f"{bucket}/{name}")


def fill(engine: Engine) -> None:
    kb, _ = engine.create("docs")
    pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000)
    pipeline.ingest(kb, Source("tea", "tea.md", b"Tea is at four."), lambda *_: None)


def held(settings: EngineSettings) -> tuple[int, int]:
    """How many vectors and originals there are."""
    stores = ChromaVectorStores.at_server(settings.chroma)
    vectors = sum(stores.open(name).count() for name in stores.names())
    stores.close()
    with closing(S3Blobs(settings.blobs_url)) as blobs:
        return vectors, len({*blobs.digests()})


def test_who_comes_second_is_told_and_deletes_nothing(
    at_servers: EngineSettings, tmp_path: Path
) -> None:
    with open_engine(at_servers) as engine:
        fill(engine)
    assert held(at_servers) == (1, 1)
    apart = engine_settings(tmp_path / "another", chroma=ChromaSettings(), blobs_url="")
    for shared, says in (
        (replace(apart, chroma=at_servers.chroma), "Chroma database.*another.*CHROMA_DATABASE"),
        (
            replace(apart, blobs_url=at_servers.blobs_url),
            "original bytes.*another.*FOOTNOTE_BLOBS_URL",
        ),
    ):
        with (
            pytest.raises(StoreUnavailable, match=says),
            open_engine(shared),
        ):
            pass
    assert held(at_servers) == (1, 1)


def test_an_installation_that_moves_takes_its_places_along(
    at_servers: EngineSettings, tmp_path: Path
) -> None:
    with open_engine(replace(at_servers, database_url="")) as engine:
        fill(engine)
    moved = at_servers.data.rename(tmp_path / "moved")
    with open_engine(replace(at_servers, data=moved, database_url="")) as engine:
        assert engine.knowledge_bases.counts(engine.open("docs")) == (1, 1)
    assert held(at_servers) == (1, 1)


def test_what_nobody_has_claimed_but_somebody_uses_is_left_alone(
    at_servers: EngineSettings,
) -> None:
    stores = ChromaVectorStores.at_server(at_servers.chroma)
    stores.open("of-another-program")
    with (
        pytest.raises(StoreUnavailable, match=r"isn't in this catalogue.*of-another-program\. "),
        open_engine(replace(at_servers, blobs_url="")),
    ):
        pass
    assert (stores.names(), stores.owner()) == (["of-another-program"], None)
    stores.close()
    with closing(S3Blobs(at_servers.blobs_url)) as blobs:
        digest = blobs.put(b"of another program")
        with (
            pytest.raises(StoreUnavailable, match=f"isn't in this catalogue.*{digest}"),
            open_engine(at_servers),
        ):
            pass
        assert (list(blobs.digests()), blobs.owner()) == ([digest], None)


def test_originals_may_be_copied_to_a_bucket_before_it_is_used(
    at_servers: EngineSettings,
) -> None:
    with open_engine(replace(at_servers, blobs_url="")) as engine:
        fill(engine)
        [digest] = engine.blobs.digests()
        with closing(S3Blobs(at_servers.blobs_url)) as blobs:
            blobs.put(engine.blobs.get(digest))
    with open_engine(at_servers) as engine:
        assert engine.blobs.get(digest) == b"Tea is at four."
