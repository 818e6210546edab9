from pathlib import Path

import pytest
from pydantic import ValidationError

from api.settings import Settings
from ingest.types import ParseLimits
from retrieval.stores.chroma_settings import ChromaSettings


def test_a_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_DATA", "/somewhere/知识")
    monkeypatch.setenv("FOOTNOTE_PORT", "80")
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_DOWNLOAD", "true")
    monkeypatch.setenv("FOOTNOTE_UNKNOWN", "ignored")
    settings = Settings()
    assert (settings.data, settings.port) == (Path("/somewhere/知识"), 80)
    assert settings.engine().embedding_download
    assert settings.engine().data == settings.data


def test_servers_that_embed_are_named_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_URL", "http://a:1, https://b/c,,http://a:1")
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_API_KEY", "fn_secret")
    servers = Settings().engine().embedding_servers
    assert servers.urls == ("http://a:1", "https://b/c")
    assert servers.api_key == "fn_secret"
    assert "fn_secret" not in f"{Settings()!r} {Settings().engine()!r}"


def test_the_password_of_a_database_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://footnote:secret@db/footnote"
    monkeypatch.setenv("FOOTNOTE_DATABASE_URL", url)
    settings = Settings()
    assert settings.engine().database_url == url
    assert "secret" not in f"{settings!r} {settings.engine()!r}"


def test_the_token_of_a_chroma_server_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_CHROMA_URL", "https://chroma")
    monkeypatch.setenv("FOOTNOTE_CHROMA_TENANT", "us")
    monkeypatch.setenv("FOOTNOTE_CHROMA_DATABASE", "notes")
    monkeypatch.setenv("FOOTNOTE_CHROMA_TOKEN", "secret")
    settings = Settings()
    assert settings.engine().chroma == ChromaSettings("https://chroma", "us", "notes", "secret")
    assert "secret" not in f"{settings!r} {settings.engine()!r}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "http"),
        ("MAX_UPLOAD_BYTES", "0"),
        ("MAX_PAGES", "0"),
        ("MAX_CHARACTERS", "-1"),
        ("PARSE_SECONDS", "0"),
        ("PARSE_SECONDS", "nan"),
        ("PARSE_SECONDS", "inf"),
        ("RERANK_SECONDS", "inf"),
        ("EMBEDDING_MODEL", ""),
        ("EMBEDDING_DEVICE", "quantum"),
        ("EMBEDDING_URL", "gpu1:7373"),
        ("EMBEDDING_URL", "http://gpu1:7373,gpu2:7373"),
        ("OLLAMA_KEEP_ALIVE", "soon"),
        ("OLLAMA_KEEP_ALIVE", ""),
        ("INGEST_WORKERS", "-1"),
        ("INGEST_WORKERS", "65"),
        ("LOG_LEVEL", "loud"),
        ("LOG_LEVEL", ""),
        ("EMBEDDING_DOWNLOAD", "perhaps"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMBEDDING_DEVICE", "cuda:1"),
        ("EMBEDDING_DEVICE", ""),
        ("EMBEDDING_DEVICE", "cpu"),
        ("OLLAMA_KEEP_ALIVE", "-1s"),
        ("OLLAMA_KEEP_ALIVE", "1h30m"),
    ],
)
def test_a_value_that_fits_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    assert getattr(Settings(), name.lower()) == value


def test_a_url_that_does_not_fit_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_URL", "somebody:hunter2@gpu1:7373")
    monkeypatch.setenv("FOOTNOTE_OLLAMA_API_KEY", "hunter2")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "hunter2" not in str(refused.value)
    monkeypatch.delenv("FOOTNOTE_EMBEDDING_URL")
    assert "hunter2" not in f"{Settings()!r} {Settings().engine()!r}"


def test_variables_that_look_like_settings_are_told() -> None:
    environment = ["PATH", "FOOTNOTE_PORT", "FOOTNOTE_PROT", "FOOTNOTE_OLLAMA_HOST", "FOOTNOTE_X_Y"]
    assert Settings.unknown(environment) == ["FOOTNOTE_PROT (like FOOTNOTE_PORT)", "FOOTNOTE_X_Y"]


def test_limits_reach_the_parser() -> None:
    settings = Settings(max_pages=3, max_characters=4, parse_seconds=5)
    assert settings.parse_limits() == ParseLimits(3, 4, 5)


def test_defaults_of_the_parser_are_those_of_the_settings() -> None:
    assert Settings().parse_limits() == ParseLimits()


def test_nothing_listens_beyond_this_machine_unless_told() -> None:
    assert Settings().host == "127.0.0.1"
    assert not Settings().embedding_download
