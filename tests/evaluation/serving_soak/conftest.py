"""A knowledge base made by hand that keeps to what it says, or lies as a test wants."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.standin.server import running
from evaluation.serving_soak.calling import Caller, Downtime, Log
from evaluation.serving_soak.client import Client
from evaluation.serving_soak.faults import Faults
from evaluation.serving_soak.ledger import Ledger
from evaluation.serving_soak.library import Library

_SHOWN = 40  # characters around what is found
Documents = dict[str, dict[str, str]]


@dataclass
class FakeBase:
    """Finds by the number in a question. A `lie` is what it does wrong, the rest is right."""

    lie: str = ""
    documents: Documents = field(default_factory=dict)
    former: Documents = field(default_factory=dict)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    called: Counter[str] = field(default_factory=Counter)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def documents_of(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(self._listed(request))
        value = await request.json()
        key = request.path_params.get("id") or f"d{value['uri'].replace('/', '-')}"
        uri = value.get("uri") or self.documents[key]["uri"]
        self.sent.append((request.method, uri, value["text"]))
        self.called["write"] += 1
        if self.called["write"] == 3 and self.lie == "upload 500":
            return Response("sorry", 500)
        before = self.documents.get(key)
        if before:
            self.former[key] = before
        if self.lie not in ("loses writes", "fails jobs"):
            self.documents[key] = {"uri": uri, "text": value["text"]}
        if self.lie == "keeps old" and before:
            self.documents[key] = before
        state = {"fails jobs": "failed", "never ends": "queued"}.get(self.lie, "done")
        job = {"id": f"j{len(self.jobs)}", "document_id": key, "uri": uri, "state": state}
        job = {**job, "error": None}
        if self.lie != "forgets jobs":
            self.jobs[job["id"]] = job
        told = [job, job] if self.lie == "two jobs" else [job]
        return JSONResponse({"jobs": told}, 202)

    async def document(self, request: Request) -> Response:
        key = request.path_params["id"]
        found = self.documents.get(key)
        if request.method == "PUT":
            return await self.documents_of(request)
        if found is None:
            return Response("none", 404)
        if request.method == "DELETE":
            self.sent.append(("DELETE", found["uri"], None))
            if self.lie == "can't delete":
                return Response("none", 404)
            self.former[key] = found
            if self.lie != "keeps deleted":
                del self.documents[key]
            return Response(status_code=204)
        return JSONResponse({"id": key})

    async def text(self, request: Request) -> Response:
        found = self.documents.get(request.path_params["id"])
        if found is None:
            return Response("none", 404)
        text, query = found["text"], request.query_params
        if self.lie == "half a text" and "start" not in query:
            return Response(text[: len(text) // 2])
        start, end = int(query.get("start", 0)), int(query.get("end", len(text)))
        moved = self.lie == "moved spans" and "start" in query
        return Response(text[start + moved : end + moved])

    async def job(self, request: Request) -> Response:
        found = self.jobs.get(request.path_params["id"])
        return JSONResponse(found) if found else Response("none", 404)

    async def queue(self, request: Request) -> Response:
        return JSONResponse({"jobs": [*self.jobs.values()]})

    async def search(self, request: Request) -> Response:
        self.called["search"] += 1
        if self.called["search"] == 3 and self.lie in ("search 500", "search 503"):
            return Response("sorry", int(self.lie.removeprefix("search ")))
        if self.lie == "no JSON":
            return Response("{")
        if self.lie == "no text":
            return JSONResponse({"hits": [{"document_id": "d", "uri": "u"}]})
        hits = self._found((await request.json())["query"], "text")
        return JSONResponse({"hits": [] if self.lie == "finds nothing" else hits})

    async def ask(self, request: Request) -> Response:
        found = self._found((await request.json())["question"], "quote")
        citations = [{**one, "verified": self.lie != "unverified"} for one in found]
        if self.lie == "quotes another" and citations:
            other = next((k for k in self.documents if k != citations[0]["document_id"]), None)
            if other:
                citations = [{**self._passage(other, 0, 20, "quote"), "verified": True}]
        if self.lie == "abstains":
            citations = []
        answer = {"text": "", "citations": citations, "closest": [], "hits": []}
        return JSONResponse({**answer, "abstained": not citations})

    @property
    def app(self) -> Starlette:
        kb, one = "/kb/kb", "/kb/kb/documents/{id}"
        return Starlette(
            routes=[
                Route(f"{kb}/documents", self.documents_of, methods=["GET", "POST"]),
                Route(f"{one}/text", self.text),
                Route(one, self.document, methods=["GET", "PUT", "DELETE"]),
                Route(f"{kb}/search", self.search, methods=["POST"]),
                Route(f"{kb}/ask", self.ask, methods=["POST"]),
                Route("/jobs", self.queue),
                Route("/jobs/{id}", self.job),
            ]
        )

    def _listed(self, request: Request) -> dict[str, Any]:
        query = request.query_params
        wanted = json.loads(unquote(query.get("filter", "{}"))).get("uri")
        found = [
            {"id": key, "uri": one["uri"]}
            for key, one in self.documents.items()
            if wanted in (None, one["uri"])
        ]
        if self.lie == "lists twice":
            found *= 2
        start = int(query.get("offset", 0))
        return {"total": len(found), "documents": found[start : start + 2]}

    def _found(self, question: str, name: str) -> list[dict[str, Any]]:
        [number] = [word for word in _words(question) if word.isdigit()]
        old = {"finds deleted": self.former, "finds old": self.former}.get(self.lie, {})
        for documents in (old, self.documents):
            for key, one in documents.items():
                if number in _words(one["text"]):
                    at = one["text"].index(number)
                    start, end = max(0, at - _SHOWN), at + 2 * _SHOWN
                    return [self._passage(key, start, end, name, documents)]
        return []

    def _passage(
        self, key: str, start: int, end: int, name: str, documents: Documents | None = None
    ) -> dict[str, Any]:
        one = (documents or self.documents)[key]
        said = one["text"][start:end]
        end = start + len(said)
        if self.lie == "misquotes":
            said = f"{said[:-1]}!"
        uri = "soak/nobody" if self.lie == "invents" else one["uri"]
        place = {"document_id": key, "uri": uri, "version": "v", "start": start, "end": end}
        return {**place, name: said}


def _words(text: str) -> list[str]:
    marked = "".join(c if c.isascii() and c.isalnum() else " " for c in text)
    return marked.split()


@dataclass
class Soak:
    """Clients of such a knowledge base, and what they found wrong."""

    library: Library
    faults: Faults
    log: Log
    downtime: Downtime

    def clients(self, count: int, seed: int = 0) -> list[Client]:
        return [Client(number, seed, 4, self.library) for number in range(count)]


def soak_of(url: str) -> Soak:
    downtime, log, faults = Downtime(), Log(), Faults()
    caller = Caller([url], 20.0, downtime, log, faults)
    return Soak(Library(caller, Ledger(), "kb"), faults, log, downtime)


@pytest.fixture
def opened() -> Iterator[Any]:
    """Runs knowledge bases; gives what calls them."""
    with ExitStack() as stack:
        yield lambda fake: soak_of(stack.enter_context(running(fake.app)))
