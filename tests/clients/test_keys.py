"""The official clients before a server that wants a key."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest
from ollama import Client, ResponseError
from openai import OpenAI

from api.app import create_app
from api.settings import Settings
from api.standin.server import create_standin, running
from retrieval.access import Scope
from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import catalogue
from retrieval.keys import Allowance, ApiKeys
from retrieval.settings import EngineSettings
from tests.clients.test_ollama_python import QUESTION

ASKED: Any = QUESTION

MakeOllama = Callable[[str], Client]
MakeOpenAI = Callable[[str], OpenAI]


@dataclass(frozen=True)
class Locked:
    """A server, a key for reading `docs`, and one for everything but reading."""

    url: str
    key: str
    other: str


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    data = tmp_path_factory.mktemp("locked")
    with running(create_standin()) as upstream:
        settings = Settings(data=data, ollama_host=upstream)
        with running(create_app(settings, HashingBackend())) as url:
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
                for name in ("docs", "hidden"):
                    http.put(f"/kb/{name}").raise_for_status()
                    text = {"text": "The warranty of the Kestrel lasts twenty-four months."}
                    http.post(f"/kb/{name}/documents?wait=true", json=text).raise_for_status()
                keys = ApiKeys(catalogue(EngineSettings(data)))
                reads = Allowance(frozenset({Scope.READ}), frozenset({"docs"}))
                _, key = keys.create("reader", reads)
                _, other = keys.create("other", Allowance(frozenset({Scope.WRITE, Scope.ADMIN})))
                while http.get("/kb").status_code != 401:
                    pass
            yield Locked(url, key, other)


@pytest.fixture
def ollama(locked: Locked, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeOllama]:
    """Makes clients as people configure them: by a variable."""
    with ExitStack() as opened:

        def make(key: str) -> Client:
            monkeypatch.setenv("OLLAMA_API_KEY", key)
            made = Client(locked.url, trust_env=False)
            opened.enter_context(made)
            return made

        yield make


@pytest.fixture
def openai_client(locked: Locked) -> Iterator[MakeOpenAI]:
    with ExitStack() as opened:

        def make(key: str) -> OpenAI:
            http = openai.DefaultHttpxClient(trust_env=False)
            base = f"{locked.url}/v1"
            made = OpenAI(base_url=base, api_key=key, max_retries=0, http_client=http)
            return opened.enter_context(made)

        yield make


def test_ollama_with_a_key(locked: Locked, ollama: MakeOllama) -> None:
    client = ollama(locked.key)
    names = {model.model for model in client.list().models}
    assert "kb/docs:latest" in names
    assert "kb/hidden:latest" not in names
    said = client.chat("kb/docs", QUESTION)
    assert "twenty-four months" in str(said.message.content)
    streamed = "".join(
        str(part.message.content) for part in client.chat("kb/docs", QUESTION, stream=True)
    )
    assert "twenty-four months" in streamed
    assert client.chat("tiny", QUESTION).message.content  # of the server behind
    with pytest.raises(ResponseError) as missing:
        client.chat("kb/hidden", QUESTION)
    assert missing.value.status_code == 404


@pytest.mark.parametrize("key", ["", "ollama", "fn_000000000000_x"])
def test_ollama_without(ollama: MakeOllama, key: str) -> None:
    client = ollama(key)
    for call in (client.list, lambda: client.chat("kb/docs", QUESTION)):
        with pytest.raises(ResponseError, match="key") as refused:
            call()
        assert refused.value.status_code == 401


def test_ollama_with_a_key_for_something_else(locked: Locked, ollama: MakeOllama) -> None:
    with pytest.raises(ResponseError, match="'read'") as refused:
        ollama(locked.other).chat("kb/docs", QUESTION)
    assert refused.value.status_code == 403
    with pytest.raises(ResponseError, match="'admin'"):
        ollama(locked.key).delete("tiny")


def test_openai_with_a_key(locked: Locked, openai_client: MakeOpenAI) -> None:
    client = openai_client(locked.key)
    ids = {model.id for model in client.models.list()}
    assert "kb/docs:latest" in ids
    assert "kb/hidden:latest" not in ids
    said = client.chat.completions.create(model="kb/docs", messages=ASKED)
    assert "twenty-four months" in str(said.choices[0].message.content)
    assert (
        "twenty-four months"
        in client.responses.create(
            model="kb/docs", input="How long does the warranty of the Kestrel last?"
        ).output_text
    )
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="kb/hidden", messages=ASKED)


def test_openai_without(locked: Locked, openai_client: MakeOpenAI) -> None:
    with pytest.raises(openai.AuthenticationError, match="isn't known"):
        openai_client("unused").models.list()
    with pytest.raises(openai.PermissionDeniedError, match="'read'"):
        openai_client(locked.other).chat.completions.create(model="kb/docs", messages=ASKED)


def test_anthropic_with_a_key_in_its_own_header(locked: Locked) -> None:
    body = {"model": "kb/docs", "max_tokens": 100, "messages": QUESTION}
    with httpx.Client(base_url=locked.url, timeout=60, trust_env=False) as http:
        said = http.post("/v1/messages", json=body, headers={"x-api-key": locked.key})
        assert "twenty-four months" in said.text
        refused = http.post("/v1/messages", json=body, headers={"x-api-key": "wrong"})
        assert refused.json()["error"]["type"] == "authentication_error"
