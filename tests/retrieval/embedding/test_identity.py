from dataclasses import fields, replace
from typing import Any

import pytest

from retrieval.embedding.identity import ModelIdentity, Prefixes, prefixes_for

MODEL = ModelIdentity("m", "w", 384, 256, "mean", True, Prefixes("q: ", "查询: "), "float32")
OTHERS: dict[str, Any] = {
    "name": "n",
    "weights": "x",
    "dimension": 385,
    "window": 257,
    "pooling": "cls",
    "normalised": False,
    "prefixes": Prefixes("q: "),
    "dtype": "bfloat16",
}


def test_whatever_changes_a_vector_changes_the_fingerprint() -> None:
    assert OTHERS.keys() == {field.name for field in fields(ModelIdentity)}
    prints = {replace(MODEL, **{name: value}).fingerprint for name, value in OTHERS.items()}
    assert len(prints | {MODEL.fingerprint}) == len(OTHERS) + 1


def test_an_identity_survives_json() -> None:
    again = ModelIdentity.from_json(MODEL.to_json())
    assert again == MODEL
    assert again.fingerprint == MODEL.fingerprint
    assert "'m' (384 dimensions, float32" in str(MODEL)


@pytest.mark.parametrize(
    ("name", "query", "document"),
    [
        ("intfloat/multilingual-e5-small", "query: ", "passage: "),
        ("intfloat/e5-base-v2", "query: ", "passage: "),
        ("/models/e5-small-v2", "query: ", "passage: "),
        ("BAAI/bge-small-zh-v1.5", "为这个句子生成表示以用于检索相关文章：", ""),
        ("BAAI/bge-base-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("BAAI/bge-m3", "", ""),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("google/embeddinggemma-300m", "task: search result | query: ", "title: none | text: "),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "query: ", ""),
        ("sentence-transformers/all-MiniLM-L6-v2", "", ""),
        ("someone/the-best-model", "", ""),
    ],
)
def test_models_that_need_prefixes_get_them(name: str, query: str, document: str) -> None:
    assert prefixes_for(name, {}) == Prefixes(query, document)


@pytest.mark.parametrize(
    "name", ["intfloat/multilingual-e5-large-instruct", "Qwen/Qwen3-Embedding-0.6B"]
)
def test_instructed_models_get_an_instruction_for_questions_only(name: str) -> None:
    prefixes = prefixes_for(name, {})
    assert prefixes.query.startswith("Instruct: Given a web search query")
    assert prefixes.document == ""


def test_what_a_model_declares_itself_wins() -> None:
    assert prefixes_for("intfloat/e5-base", {"query": "Q ", "passage": "P "}) == Prefixes(
        "Q ", "P "
    )
    assert prefixes_for("intfloat/e5-base", {"query": "", "document": ""}).query == "query: "
