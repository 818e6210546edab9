"""A knowledge base as its clients see it: what is sent to it, and what must be found in it."""

from collections.abc import Sequence
from urllib.parse import quote

import anyio
import orjson

from evaluation.serving_soak.calling import Caller, Kind, Told, Wrong
from evaluation.serving_soak.ledger import Ledger, Passage
from evaluation.serving_soak.replies import Answer, Documents, Found, Job, Jobs, Listed
from evaluation.serving_soak.writing import Fact, Writing

_K = 5  # hits: what is asked for by a number that no other document has must be among them
_LOOK = 0.1  # seconds between two looks at a job at first, then a tenth of what it has taken
_JOBS = 1_000  # the newest: more than all clients have on their way
_PUT_OFF = 300.0  # seconds after which a job must be over


class Library:
    """Calls it, and tells what is wrong with what it replies."""

    def __init__(self, caller: Caller, ledger: Ledger, kb: str) -> None:
        self.caller, self.ledger = caller, ledger
        self._kb = f"/kb/{quote(kb, safe='')}"

    async def send(self, writing: Writing, known: str | None, *, wait: bool) -> tuple[str, Told]:
        """A job that a server has accepted, and with what. `known` is the document's id where it is
        replaced by that. Raises Lost, Wrong.
        """
        path = f"{self._kb}/documents{f'/{known}' if known else ''}{'?wait=true' if wait else ''}"
        value = {"title": writing.title, "text": writing.text}
        method, kind = ("PUT", Kind.UPDATE) if known else ("POST", Kind.UPLOAD)
        if not known:
            value["uri"] = writing.uri
        told = await self.caller.call(kind, method, path, value, 202)
        jobs = self.caller.read(Jobs, told).jobs
        if [job.uri for job in jobs] != [writing.uri]:
            self.caller.wrong("malformed", f"not one job of {writing.uri}", told)
            raise Wrong
        return jobs[0].id, told

    async def done(self, job_id: str) -> str:
        """The id of the document that a job which was accepted has brought in. Raises Wrong."""
        deadline = anyio.current_time() + _PUT_OFF
        while True:
            told = await self.caller.call(Kind.LOOK, "GET", f"/jobs/{job_id}", None, 404)
            if told.reply.status == 404:
                self.caller.wrong("lost write", "an accepted job is gone", told)
                raise Wrong
            job = self.caller.read(Job, told)
            if job.state == "done":
                return job.document_id
            if job.over:
                self.caller.wrong("lost write", f"an accepted job {job.state}", told)
                raise Wrong
            await self._look_again(deadline, told)

    async def delete(self, document_id: str, *, known: bool) -> None:
        """Raises Lost, Wrong; also where it isn't there and was `known` to be."""
        path = f"{self._kb}/documents/{document_id}"
        told = await self.caller.call(Kind.DELETE, "DELETE", path, None, 204, 404)
        if told.reply.status == 404 and known:
            self.caller.wrong("lost write", "what was acknowledged can't be deleted", told)
            raise Wrong

    async def settled(self, uri: str) -> None:
        """Wait until nothing is on its way to a document. Raises Wrong."""
        path = f"/jobs?kb={self._kb.removeprefix('/kb/')}&limit={_JOBS}"
        deadline = anyio.current_time() + _PUT_OFF
        while True:
            told = await self.caller.call(Kind.LOOK, "GET", path)
            jobs = self.caller.read(Jobs, told).jobs
            if all(job.over for job in jobs if job.uri == uri):
                return
            await self._look_again(deadline, told)

    async def listed(self, uri: str) -> Sequence[Listed]:
        """The documents with this uri: at most one, or something is doubled. Raises Wrong."""
        condition = quote(orjson.dumps({"uri": uri}).decode(), safe="")
        path = f"{self._kb}/documents?filter={condition}"
        told = await self.caller.call(Kind.LOOK, "GET", path)
        found = self.caller.read(Documents, told).documents
        if len(found) > 1:
            self.caller.wrong("doubled", f"{len(found)} documents are {uri}", told)
        return found

    async def page(self, offset: int, limit: int) -> Documents:
        """Raises Wrong."""
        path = f"{self._kb}/documents?limit={limit}&offset={offset}"
        return self.caller.read(Documents, await self.caller.call(Kind.LOOK, "GET", path))

    async def text(self, document_id: str) -> str | None:
        """The canonical text, None where there is none. Raises Wrong."""
        told = await self._text(document_id)
        return None if told.reply.status == 404 else told.reply.content.decode()

    async def check_text(self, document_id: str, expected: str) -> None:
        """It is this one, all of it."""
        told = await self._text(document_id)
        if told.reply.status == 404:
            self.caller.wrong("lost write", "what was acknowledged has no text", told)
        elif told.reply.content != expected.encode():
            self.caller.wrong("wrong text", f"it should be {expected!r}", told)

    async def check_gone(self, document_id: str) -> None:
        """It isn't there any more, nor its text."""
        for path in ("", "/text"):
            url = f"{self._kb}/documents/{document_id}{path}"
            told = await self.caller.call(Kind.READ, "GET", url, None, 404)
            if told.reply.status != 404:
                self.caller.wrong("undead", "what was deleted is still there", told)

    async def search(self, fact: Fact, writing: Writing | None) -> None:
        """It finds the fact, if there is the document; and nothing that isn't there."""
        value = {"query": fact.question, "k": _K}
        told = await self.caller.call(Kind.SEARCH, "POST", f"{self._kb}/search", value)
        hits = self.caller.read(Found, told).hits
        self._check_true(told, hits)
        if writing and not any(h.uri == writing.uri and fact.value in h.text for h in hits):
            self.caller.wrong("not found", f"{fact.sentence} of {writing.uri}", told)

    async def ask(self, fact: Fact, writing: Writing | None) -> None:
        """The first footnote is the fact's, if there is the document; none is of what isn't."""
        value = {"question": fact.question}
        told = await self.caller.call(Kind.ASK, "POST", f"{self._kb}/ask", value)
        answer = self.caller.read(Answer, told)
        self._check_true(told, [*answer.hits, *answer.citations, *answer.closest])
        if not all(citation.verified for citation in answer.citations):
            self.caller.wrong("unverified", "a footnote isn't", told)
        if not writing:
            return
        first = next(iter(answer.citations), None)
        if answer.abstained or not first:
            self.caller.wrong("no answer", f"{fact.sentence} of {writing.uri}", told)
        elif first.uri != writing.uri or fact.value not in first.quote:
            self.caller.wrong("wrong answer", f"{fact.sentence} of {writing.uri}", told)
        else:
            span = f"version={first.version}&start={first.start}&end={first.end}"
            part = await self._text(first.document_id, f"?{span}")
            if part.reply.content != first.quote.encode():
                self.caller.wrong("wrong text", f"the footnote quotes {first.quote!r}", part)

    async def _look_again(self, deadline: float, told: Told) -> None:
        """Wait for a job. Raises Wrong where that has been too long."""
        if anyio.current_time() > deadline:
            self.caller.wrong("endless", f"a job isn't over after {_PUT_OFF:g} s", told)
            raise Wrong
        taken = anyio.current_time() + _PUT_OFF - deadline
        await anyio.sleep(max(_LOOK, taken / 10))

    def _check_true(self, told: Told, passages: Sequence[Passage]) -> None:
        for passage in passages:
            if untruth := self.ledger.untruth(passage, told.began):
                self.caller.wrong("untrue", untruth, told)

    async def _text(self, document_id: str, query: str = "") -> Told:
        path = f"{self._kb}/documents/{document_id}/text{query}"
        return await self.caller.call(Kind.READ, "GET", path, None, 404)
