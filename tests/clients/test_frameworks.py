"""LangChain's and LlamaIndex's classes for Ollama and OpenAI, unchanged.

Theirs is an optional group of packages: pip install -e '.[test,frameworks]'.
"""

import asyncio
from typing import Any

import numpy as np
import pytest

from tests.clients.test_ollama_python import QUESTION

langchain_ollama = pytest.importorskip("langchain_ollama")
langchain_openai = pytest.importorskip("langchain_openai")
embeddings = pytest.importorskip("llama_index.embeddings.ollama")
llms = pytest.importorskip("llama_index.llms.ollama")
core = pytest.importorskip("llama_index.core.llms")

ASKED = QUESTION[0]["content"]
ANSWER = "The warranty of the Kestrel lasts twenty-four months. [1]"

# What these packages warn of when they are imported or collected is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_chat_ollama(server: str) -> None:
    model = langchain_ollama.ChatOllama(
        model="kb/docs", base_url=server, validate_model_on_init=True, temperature=0
    )
    reply = model.invoke(ASKED)
    assert reply.content.startswith(ANSWER)
    assert reply.usage_metadata["output_tokens"] > 0
    assert "".join(chunk.content for chunk in model.stream(ASKED)) == reply.content
    assert asyncio.run(model.ainvoke(ASKED)).content == reply.content
    turns = [("human", ASKED), ("ai", reply.content), ("human", "And what about the batteries?")]
    assert "six months" in model.invoke(turns).content


def test_chat_ollama_thinks(server: str) -> None:
    model = langchain_ollama.ChatOllama(model="kb/docs", base_url=server, reasoning=True)
    assert "Kestrel" in model.invoke(ASKED).additional_kwargs["reasoning_content"]


def test_chat_ollama_calls_tools_behind_us(server: str) -> None:
    def weather(city: str) -> str:
        """The weather of a city."""
        return city

    model = langchain_ollama.ChatOllama(model="tiny-tools", base_url=server).bind_tools([weather])
    (call,) = model.invoke("hi").tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "text"})


def test_ollama_llm(server: str) -> None:
    model = langchain_ollama.OllamaLLM(model="kb/docs", base_url=server)
    assert model.invoke(ASKED).startswith(ANSWER)


def test_ollama_embeddings(server: str) -> None:
    model = langchain_ollama.OllamaEmbeddings(model="all-minilm", base_url=server)
    many = model.embed_documents(["hello world", "猫"])
    assert np.asarray(many).shape == (2, 384)
    assert np.allclose(model.embed_query("hello world"), many[0], atol=1e-5)


def test_chat_openai(server: str) -> None:
    model = langchain_openai.ChatOpenAI(model="kb/docs", base_url=f"{server}/v1", api_key="x")
    reply = model.invoke(ASKED)
    assert reply.content.startswith(ANSWER)
    assert "".join(chunk.content for chunk in model.stream(ASKED)) == reply.content
    by_responses: Any = langchain_openai.ChatOpenAI(
        model="kb/docs", base_url=f"{server}/v1", api_key="x", use_responses_api=True
    )
    assert by_responses.invoke(ASKED).text.startswith(ANSWER)


def test_openai_embeddings(server: str) -> None:
    model = langchain_openai.OpenAIEmbeddings(
        model="all-minilm",
        base_url=f"{server}/v1",
        api_key="x",
        check_embedding_ctx_length=False,  # else it sends tokens of a vocabulary that isn't ours
    )
    assert np.asarray(model.embed_documents(["a", "b"])).shape == (2, 384)


def test_llama_index_chat(server: str) -> None:
    model = llms.Ollama(model="kb/docs", base_url=server, request_timeout=60)
    assert model.complete(ASKED).text.startswith(ANSWER)
    assert [part.text for part in model.stream_complete(ASKED)][-1].startswith(ANSWER)
    reply = model.chat([core.ChatMessage(role="user", content=ASKED)])
    assert reply.message.content.startswith(ANSWER)
    assert asyncio.run(model.acomplete("hi there, warranty of the Kestrel?")).text


def test_llama_index_embeddings(server: str) -> None:
    model = embeddings.OllamaEmbedding(model_name="all-minilm", base_url=server)
    assert np.asarray(model.get_text_embedding_batch(["hello", "猫"] * 10)).shape == (20, 384)
    assert len(model.get_query_embedding("hello")) == 384
