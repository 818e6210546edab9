"""Knowledge bases that mustn't know of each other, with secrets in all that they hold."""

import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

from starlette.testclient import TestClient

from tests.ingest.parsers.builders import pdf

QUESTION = "How long does the warranty of the Kestrel last?"
_PATIENCE = 60.0  # seconds
_LOOK = 0.02


@dataclass
class Tenant:
    """A knowledge base; everything in `secrets` exists for those alone who may see it."""

    name: str
    secrets: set[str] = field(default_factory=set)
    documents: list[str] = field(default_factory=list)
    pdf: str = ""
    uris: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def populated(client: TestClient, random: Random, number: int) -> list[Tenant]:
    """That many knowledge bases; texts of all of them answer the same question."""
    return [_populate(client, random) for _ in range(number)]


def secret(random: Random, prefix: str = "") -> str:
    """A word that stands nowhere else."""
    return f"{prefix}{random.getrandbits(64):016x}"


def _populate(client: TestClient, random: Random) -> Tenant:
    tenant = Tenant(secret(random, "kb-"))
    word, uri, title, description = (secret(random, "s") for _ in range(4))
    tenant.words = [word, title]
    base = f"/kb/{tenant.name}"
    settings = {"description": description, "system_prompt": secret(random, "p")}
    client.put(base, json=settings).raise_for_status()
    text = f"The warranty of the Kestrel lasts twenty-four months, says {word}."
    texts = [
        {"text": text, "uri": uri, "title": title, "metadata": {"owner": word}},
        {"text": f"Batteries are covered for six months, says {word}.", "uri": f"{uri}-2"},
    ]
    name = secret(random, "f")
    page = pdf([[f"The motor of the Kestrel has 250 watts {word}."]], title=title)
    sent = [
        client.post(f"{base}/documents?wait=true", json={"documents": texts}),
        client.post(f"{base}/documents?wait=true", files={"files": (f"{name}.pdf", page)}),
        client.post(f"{base}/documents?wait=true", files={"files": (f"{name}-2.pdf", b"%PDF-")}),
    ]
    jobs = [job for reply in sent for job in reply.raise_for_status().json()["jobs"]]
    assert [job["state"] for job in jobs] == ["done", "done", "done", "failed"]
    tenant.jobs = [job["id"] for job in jobs]
    tenant.documents = [job["document_id"] for job in jobs[:3]]
    tenant.pdf = tenant.documents[2]
    tenant.uris = [uri, f"{uri}-2", f"{name}.pdf"]
    listed = client.get(f"{base}/documents").json()["documents"]
    tenant.versions = [one["version"] for one in listed]
    tenant.answers = [
        client.post(f"{base}/ask", json={"question": f"{QUESTION} {word}"}).json()["id"]
    ]
    said = {"question": f"{QUESTION} {word}", "document": tenant.documents[0], "helpful": True}
    tenant.feedback = [client.post(f"{base}/feedback", json=said).json()["id"]]
    _evaluate(client, base, word, uri)
    tenant.secrets = {
        *(tenant.name, word, uri, title, name, *settings.values()),
        *(*tenant.documents, *tenant.versions, *tenant.jobs, *tenant.answers, *tenant.feedback),
        jobs[3]["document_id"],
    }
    return tenant


def _evaluate(client: TestClient, base: str, word: str, uri: str) -> None:
    asked: dict[str, Any] = {
        "source": "questions",
        "questions": [{"question": f"{QUESTION} {word}", "document": uri}],
    }
    client.post(f"{base}/evaluation", json=asked).raise_for_status()
    until = time.monotonic() + _PATIENCE
    while (found := client.get(f"{base}/evaluation").json())["state"] not in ("done", "failed"):
        assert time.monotonic() < until
        time.sleep(_LOOK)
    assert found["state"] == "done", found
