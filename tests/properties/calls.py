"""Random calls on all interfaces, about any knowledge base and anything in one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.properties.tenants import QUESTION, Tenant


@dataclass(frozen=True)
class Call:
    """A request, and the scopes of which it needs one. `changes`: it isn't to be made by those
    whom it would be granted. `same`: it is answered alike, whatever is named that isn't there.
    """

    method: str
    path: str
    needs: tuple[str, ...] = ("read",)
    body: Any = None
    changes: bool = False
    same: bool = True

    def renamed(self, names: dict[str, str]) -> "Call":
        """The same call with other names in it."""
        path, body = self.path, json.dumps(self.body)
        for one, other in names.items():
            path, body = path.replace(one, other), body.replace(one, other)
        given = json.loads(body)
        return Call(self.method, path, self.needs, given, self.changes, self.same)

    @property
    def text(self) -> str:
        """All that is said in it."""
        return f"{self.path} {json.dumps(self.body)}"


Make = Callable[[Random, Tenant, Tenant], Call]


def some_call(random: Random, tenant: Tenant, other: Tenant) -> Call:
    """A call about one knowledge base; now and then about what belongs to the other one."""
    return random.choice(_CALLS)(random, tenant, other if random.random() < 0.3 else tenant)


def _get(path: str, *needs: str, same: bool = True) -> Make:
    def made(random: Random, tenant: Tenant, holder: Tenant) -> Call:
        filled = path.format(
            kb=tenant.name,
            document=random.choice(holder.documents),
            pdf=holder.pdf,
            version=random.choice(holder.versions),
            uri=random.choice(holder.uris),
            job=random.choice(holder.jobs),
            answer=random.choice(holder.answers),
            word=random.choice(holder.words),
        )
        return Call("GET", filled, needs or ("read",), same=same)

    return made


def _post(path: str, make: Callable[[Random, Tenant, Tenant], Any], *, same: bool = True) -> Make:
    def made(random: Random, tenant: Tenant, holder: Tenant) -> Call:
        filled = path.format(kb=tenant.name, answer=random.choice(holder.answers))
        return Call("POST", filled, body=make(random, tenant, holder), same=same)

    return made


def _change(method: str, path: str, needs: str, body: Any = None) -> Make:
    def made(random: Random, tenant: Tenant, holder: Tenant) -> Call:
        filled = path.format(
            kb=tenant.name,
            document=random.choice(holder.documents),
            job=random.choice(holder.jobs),
            answer=random.choice(holder.answers),
            feedback=random.choice(holder.feedback),
        )
        return Call(method, filled, tuple(needs.split()), body, changes=True)

    return made


def _search(random: Random, _tenant: Tenant, holder: Tenant) -> Any:
    asked: dict[str, Any] = {"query": QUESTION, "k": 20, "explain": True}
    mode = random.choice(["hybrid", "dense", "lexical"])
    narrowed: dict[str, Any] = random.choice(
        [
            {},
            {"why": random.choice([*holder.documents, *holder.uris])},
            {"filter": {"document_id": random.choice(holder.documents)}},
            {"filter": {"owner": holder.words[0]}},
        ]
    )
    return {**asked, "mode": mode, **narrowed}


def _words(_random: Random, _tenant: Tenant, holder: Tenant) -> Any:
    return {"query": f"{QUESTION} {holder.words[0]}", "k": 20}


def _ask(random: Random, _tenant: Tenant, holder: Tenant) -> Any:
    narrowed = random.choice([{}, {"filter": {"uri": random.choice(holder.uris)}}])
    return {"question": QUESTION, "stream": random.random() < 0.5, **narrowed}


def _model(random: Random, tenant: Tenant) -> str:
    tag = random.choice(["", ":latest", ":extractive"])
    return f"kb/{tenant.name}{tag}"


def _chat(random: Random, tenant: Tenant, _holder: Tenant) -> Any:
    said = [{"role": "user", "content": QUESTION}]
    return {"model": _model(random, tenant), "messages": said, "stream": random.random() < 0.5}


def _messages(random: Random, tenant: Tenant, holder: Tenant) -> Any:
    return {**_chat(random, tenant, holder), "max_tokens": 500}


def _prompt(random: Random, tenant: Tenant, _holder: Tenant) -> Any:
    return {"model": _model(random, tenant), "prompt": QUESTION, "stream": random.random() < 0.5}


def _input(random: Random, tenant: Tenant, _holder: Tenant) -> Any:
    return {"model": _model(random, tenant), "input": QUESTION}


def _named(random: Random, tenant: Tenant, _holder: Tenant) -> Any:
    return {"model": _model(random, tenant)}


_KB, _DOCUMENT = "/kb/{kb}", "/kb/{kb}/documents/{document}"
_FOLLOW = ("read", "write")
_CALLS: list[Make] = [
    # What lists, counts, or tells of the server
    _get("/kb"),
    _get("/jobs", *_FOLLOW),
    _get("/jobs?state=failed", *_FOLLOW),
    _get("/info", *_FOLLOW),
    _get("/metrics"),
    _get("/ready", "anyone"),
    _get("/session", "anyone"),
    _get("/health", "anyone"),
    _get("/api/tags"),
    _get("/api/ps"),
    _get("/v1/models"),
    # A knowledge base and what is in it
    _get(_KB),
    _get(f"{_KB}/documents"),
    _get(f"{_KB}/documents?search={{word}}"),
    _get(_DOCUMENT),
    _get(f"{_DOCUMENT}/versions"),
    _get(f"{_DOCUMENT}/text"),
    _get(f"{_DOCUMENT}/text?version={{version}}"),
    _get(f"{_DOCUMENT}/original"),
    _get(f"{_DOCUMENT}/pages"),
    _get(f"{_KB}/documents/{{pdf}}/pages/1.png?highlight=0-20"),
    _get(f"{_KB}/documents/{{pdf}}/boxes?start=0&end=20"),
    _get(f"{_KB}/answers"),
    _get(f"{_KB}/answers/{{answer}}"),
    _get(f"{_KB}/feedback"),
    _get(f"{_KB}/evaluation"),
    _get(f"{_KB}/evaluation/report"),
    _get(f"{_KB}/reindex"),
    _get("/jobs?kb={kb}", *_FOLLOW),
    _get("/jobs/{job}", *_FOLLOW),
    _get("/jobs/{job}/events", *_FOLLOW),
    _post(f"{_KB}/search", _search),
    _post(f"{_KB}/search", _words, same=False),
    _post(f"{_KB}/ask", _ask),
    _post(f"{_KB}/answers/{{answer}}/replay", lambda *_: None),
    # The other protocols
    _post("/api/show", _named),
    _post("/api/chat", _chat),
    _post("/api/generate", _prompt),
    _post("/api/embed", _input),
    _get("/v1/models/kb/{kb}"),
    _post("/v1/chat/completions", _chat),
    _post("/v1/completions", _prompt),
    _post("/v1/responses", _input),
    _post("/v1/embeddings", _input),
    _post("/v1/messages", _messages),
    # What changes something
    _change("PUT", _KB, "admin", {"description": "taken over"}),
    _change("DELETE", _KB, "admin"),
    _change("POST", f"{_KB}/reindex", "admin", {"force": True}),
    _change("DELETE", f"{_KB}/reindex", "admin"),
    _change("POST", f"{_KB}/evaluation", "admin", {"source": "generated"}),
    _change("POST", f"{_KB}/documents", "write", {"text": "Something else.", "uri": "else"}),
    _change("POST", f"{_KB}/samples", "write"),
    _change("PUT", _DOCUMENT, "write", {"text": "Something else."}),
    _change("DELETE", _DOCUMENT, "write"),
    _change("DELETE", f"{_KB}/answers/{{answer}}", "write"),
    _change("DELETE", f"{_KB}/feedback/{{feedback}}", "write"),
    _change("DELETE", "/jobs/{job}", "write"),
    _change("GET", "/jobs/events?kb={kb}", "read write"),  # which doesn't end by itself
]
