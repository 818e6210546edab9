"""Knowledge bases: create, list, change, delete; search and ask."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Response, status
from fastapi.responses import StreamingResponse

from api import sse
from api.errors import described
from api.explaining import explained_search
from api.replies import (
    AnswerReply,
    CitationReply,
    KnowledgeBaseReply,
    Problem,
    SearchReply,
)
from api.requests import AskRequest, KnowledgeBaseRequest, SearchRequest
from api.routes.dependencies import BlockingOf, ServiceOf
from api.sse import event, streamed
from retrieval.answering import Basis
from retrieval.errors import RetrievalError
from retrieval.search import Query
from retrieval.types import Answer, Piece

router = APIRouter(tags=["knowledge bases"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such knowledge base"},
    409: {"model": Problem, "description": "It was built with another embedding model"},
    422: {"model": Problem, "description": "Something in the request doesn't fit"},
}
_ASKED: dict[int | str, dict[str, Any]] = {
    **_PROBLEMS,
    429: {"model": Problem, "description": "Too much waits to be embedded; see Retry-After"},
    502: {"model": Problem, "description": "The Ollama server didn't do what it was asked to"},
}


@router.put(
    "/kb/{kb}",
    responses={
        **_PROBLEMS,
        201: {"model": KnowledgeBaseReply, "description": "New"},
        412: {"model": Problem, "description": "It was to be new, and is there already"},
    },
)
async def put_knowledge_base(
    kb: str,
    service: ServiceOf,
    blocking: BlockingOf,
    response: Response,
    body: KnowledgeBaseRequest | None = None,
    if_none_match: Annotated[
        Literal["*"] | None, Header(description="Only create one: 412 where there is one already")
    ] = None,
) -> KnowledgeBaseReply:
    """Create a knowledge base (201), or change its settings (200)."""
    settings = body.settings() if body else None

    def put() -> KnowledgeBaseReply:
        found, new = service.engine.create(kb, settings, only_new=if_none_match is not None)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return KnowledgeBaseReply.of(service.engine, found)

    return await blocking.call(put)


@router.get("/kb")
async def list_knowledge_bases(
    service: ServiceOf, blocking: BlockingOf
) -> list[KnowledgeBaseReply]:
    """All knowledge bases, by name."""

    def listed() -> list[KnowledgeBaseReply]:
        engine = service.engine
        return [KnowledgeBaseReply.of(engine, kb) for kb in engine.knowledge_bases.all()]

    return await blocking.call(listed)


@router.get("/kb/{kb}", responses=_PROBLEMS)
async def get_knowledge_base(
    kb: str, service: ServiceOf, blocking: BlockingOf
) -> KnowledgeBaseReply:
    """One knowledge base with its settings and counts."""

    def got() -> KnowledgeBaseReply:
        found = service.engine.knowledge_bases.get(kb)
        return KnowledgeBaseReply.of(service.engine, found)

    return await blocking.call(got)


@router.delete("/kb/{kb}", status_code=status.HTTP_204_NO_CONTENT, responses=_PROBLEMS)
async def delete_knowledge_base(kb: str, service: ServiceOf, blocking: BlockingOf) -> None:
    """Delete a knowledge base and everything in it."""

    def delete() -> None:
        service.remove_knowledge_base(service.engine.knowledge_bases.get(kb))

    await blocking.call(delete)


@router.post("/kb/{kb}/search", responses=_ASKED)
async def search(
    kb: str, body: SearchRequest, service: ServiceOf, blocking: BlockingOf
) -> SearchReply:
    """The best chunks for a query, with the rank and raw score that each leg gave them."""
    query = Query(body.query, body.k, body.mode, body.filter)
    return await blocking.call(
        lambda: explained_search(service, kb, query, explain=body.explain, why=body.why)
    )


@router.post(
    "/kb/{kb}/ask",
    response_model=AnswerReply,
    responses={
        **_ASKED,
        200: {
            "description": "The answer; with `stream`, as server-sent events",
            "content": sse.described("token", "citation", "done", "error"),
        },
    },
)
async def ask(
    kb: str, body: AskRequest, service: ServiceOf, blocking: BlockingOf
) -> AnswerReply | StreamingResponse:
    """An answer whose every sentence carries a verified footnote, or an abstention.

    With `stream`: `token` events with the text, a `citation` event once the sentence that it
    supports has been checked, and `done` with the whole answer; or `error`, where it breaks off.
    """
    opened = await blocking.call(service.engine.open, kb)
    model = await service.engine.responding.model(opened, body.model)
    if not body.stream:
        answer = await service.answer(opened, body.asked(), model, blocking.call)
        return AnswerReply.of(answer, html=body.html)
    said = service.stream(opened, body.asked(), model, blocking.call)
    await anext(said)  # what fails in the search still gets a status
    return streamed(_events(said, html=body.html))


async def _events(
    said: AsyncGenerator[Basis | Piece | Answer], *, html: bool
) -> AsyncIterator[str]:
    """Each piece, the citations whose markers it has, and the whole answer; or an error."""
    try:
        async with aclosing(said):
            async for one in said:
                if isinstance(one, Piece):
                    yield event("token", {"text": one.text})
                    for citation in one.citations:
                        yield event("citation", CitationReply.of(citation).model_dump(mode="json"))
                elif isinstance(one, Answer):
                    yield event("done", AnswerReply.of(one, html=html).model_dump(mode="json"))
    except RetrievalError as error:
        yield event("error", described(error))
