"""A real server, with the real embedding model, before a stand-in for an Ollama server."""

from collections.abc import Iterator

import httpx
import pytest

from api.app import create_app
from api.settings import Settings
from api.standin.catalogue import default_models
from api.standin.chatting import ChatModel
from api.standin.server import create_standin, running
from api.wire.models import Completion

TEXTS = {
    "kestrel.md": "# Kestrel\n\nThe warranty of the Kestrel lasts twenty-four months. "
    "Batteries are covered for six months. Its motor has 250 watts.",
    "运费险.md": "# 运费险\n\n退货运费由卖家承担。运费险的理赔时限是七天。",
}


def say(completion: Completion) -> str:
    """What the stand-in's chat model says of the sources: a true sentence, a wrong one, a mark
    that leads nowhere; and without sources what it was told.
    """
    asked = completion.messages[-1].content
    if "Sources:" not in asked:
        return f"You said: {asked}"
    if "运费险" in asked.rsplit("Question:", 1)[-1]:
        return "运费险的理赔时限是七天[1]。"
    return (
        "The warranty of the Kestrel lasts twenty-four months [1]. "
        "Its motor has 900 watts [1]. Batteries are covered for six months [9]."
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. It has the knowledge base `docs`, and the stand-in's models behind it."""
    models = [*default_models(), ChatModel("cited", script=say)]
    with running(create_standin(models)) as upstream:
        settings = Settings(
            data=tmp_path_factory.mktemp("clients"),
            ollama_host=upstream,
            embedding_backend="torch",  # so that none is chosen by trial
        )
        with running(create_app(settings)) as url:
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                client.put("/kb/docs").raise_for_status()
                documents = [{"uri": uri, "text": text} for uri, text in TEXTS.items()]
                added = client.post("/kb/docs/documents?wait=true", json={"documents": documents})
                assert [job["state"] for job in added.json()["jobs"]] == ["done"] * len(TEXTS)
            yield url


@pytest.fixture(scope="session")
def texts(server: str) -> dict[str, str]:
    """The canonical text of each document, by its id, as anyone can read it."""
    with httpx.Client(base_url=server, trust_env=False) as client:
        listed = client.get("/kb/docs/documents").json()["documents"]
        return {
            one["id"]: client.get(f"/kb/docs/documents/{one['id']}/text").text for one in listed
        }
