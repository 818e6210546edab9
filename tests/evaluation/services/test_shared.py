import os
from pathlib import Path

import pytest

from evaluation.services.shared import SharedServices
from retrieval.settings import EngineSettings

TOLD = {
    "FOOTNOTE_DATABASE_URL": "postgresql://db",
    "FOOTNOTE_CHROMA_URL": "http://chroma",
    "FOOTNOTE_BLOBS_URL": "s3://bucket",
    "AWS_ENDPOINT_URL": "http://s3",
}


def test_an_engine_finds_them_as_long_as_it_is_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://before")
    services = SharedServices({}, {}, TOLD, {}, {})
    with services.used_by(EngineSettings(tmp_path, embedding_model="hashing")) as settings:
        assert settings.database_url == "postgresql://db"
        assert settings.chroma.url == "http://chroma"
        assert settings.blobs_url == "s3://bucket"
        assert settings.embedding_model == "hashing"
        assert os.environ["AWS_ENDPOINT_URL"] == "http://s3"
    assert os.environ["AWS_ENDPOINT_URL"] == "http://before"
    assert "FOOTNOTE_CHROMA_URL" not in os.environ
