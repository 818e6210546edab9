"""Pages: which a document has, where on them a quote stands, and what they look like."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.replies import BoxesReply, PagesReply, Problem
from api.routes.dependencies import INERT, BlockingOf, ServiceOf, Version, WaitingOf
from retrieval.errors import InvalidRequest

router = APIRouter(tags=["documents"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such knowledge base, document or page"},
    422: {"model": Problem, "description": "Something in the request doesn't fit"},
}
_PNG = "image/png"
_SPAN = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")
_OF_A_VERSION = "private, max-age=86400, immutable"  # a day: what is deleted should not outlive it
_OF_THE_LIVE_ONE = "private, no-cache"


@router.get("/kb/{kb}/documents/{document_id}/pages", responses=_PROBLEMS)
async def list_pages(
    kb: str, document_id: str, service: ServiceOf, blocking: BlockingOf, version: Version = None
) -> PagesReply:
    """The pages of a document, as spans of its text; slides, sheets or chapters where it has no
    pages.
    """

    def listed() -> PagesReply:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        return PagesReply.of(service.engine.documents.get(knowledge_base, document_id, version))

    return await blocking.call(listed)


@router.get("/kb/{kb}/documents/{document_id}/boxes", responses=_PROBLEMS)
async def get_boxes(
    kb: str,
    document_id: str,
    start: int,
    end: int,
    service: ServiceOf,
    blocking: WaitingOf,
    version: Version = None,
) -> BoxesReply:
    """Where on the pages of a PDF a span of its text stands, to highlight a quote."""

    def found() -> BoxesReply:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        document = service.engine.documents.get(knowledge_base, document_id, version)
        return BoxesReply.of(service.highlighter.boxes(knowledge_base, document, start, end))

    return await blocking.wait(found)


@router.get(
    "/kb/{kb}/documents/{document_id}/pages/{number}.png",
    response_class=Response,
    responses={**_PROBLEMS, 200: {"content": {_PNG: {}}, "description": "X-Page-Scale: its scale"}},
)
async def get_page_picture(
    kb: str,
    document_id: str,
    number: int,
    service: ServiceOf,
    blocking: WaitingOf,
    version: Version = None,
    scale: Annotated[
        float, Query(ge=0.5, le=4, description="Pixels a point; less where a page is huge")
    ] = 2,
    highlight: Annotated[
        str | None, Query(description="A span of the text to mark: start-end, as in 120-180")
    ] = None,
) -> Response:
    """A page of a PDF as a picture, a quote on it marked in yellow."""

    def drawn() -> Response:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        document = service.engine.documents.get(knowledge_base, document_id, version)
        span = None if highlight is None else _span(highlight)
        picture = service.highlighter.picture(knowledge_base, document, number, scale, span)
        headers = {
            "Cache-Control": _OF_THE_LIVE_ONE if version is None else _OF_A_VERSION,
            "X-Document-Version": document.version,
            "X-Page-Scale": f"{picture.scale:g}",
            **INERT,
        }
        return Response(picture.png, media_type=_PNG, headers=headers)

    # A page may take minutes to draw: calls that only read the catalogue don't queue behind it.
    return await blocking.wait(drawn)


def _span(text: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InvalidRequest(
            f"highlight is start-end, such as 120-180, in characters of the text, not {text!r}."
        )
    return int(found[1]), int(found[2])
