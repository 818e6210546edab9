"""Documents: send, list, read, replace, delete."""

import json
from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response, status
from fastapi.responses import PlainTextResponse
from pydantic import TypeAdapter

from api import uploads
from api.replies import (
    DocumentReply,
    DocumentsReply,
    JobReply,
    JobsReply,
    Problem,
    VersionReply,
    VersionsReply,
)
from api.requests import MAX_DOCUMENTS, Metadata, TextDocument, UrlDocument
from api.routes.dependencies import INERT, Blocking, BlockingOf, ServiceOf, Version, WaitingOf
from api.samples import sample_uploads
from api.service import Service
from api.web_documents import fetch
from ingest.job_store import Job
from ingest.jobs import Request as Ingest
from retrieval import filters
from retrieval.documents import SORTS, containing
from retrieval.errors import InvalidRequest

router = APIRouter(tags=["documents"])

_FILES: dict[str, Any] = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "metadata": {
            **TypeAdapter(Metadata).json_schema(),
            "description": "A JSON object, for all the files",
        },
    },
}
_TEXT = TextDocument.model_json_schema()
_URL = UrlDocument.model_json_schema()
_TEXTS = {
    "type": "object",
    "required": ["documents"],
    "properties": {
        "documents": {"type": "array", "minItems": 1, "maxItems": MAX_DOCUMENTS, "items": _TEXT}
    },
    "additionalProperties": False,
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FILES},
            "application/json": {
                "schema": {"anyOf": [_TEXT, _TEXTS, _URL]},
                "example": {"uri": "notes/1", "title": "A note", "text": "Tea is at four."},
            },
        },
    }
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such knowledge base or document"},
}
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    429: {
        "model": Problem,
        "description": "Too many wait already; see Retry-After",
    },
    202: {"model": JobsReply, "description": "Accepted: follow the jobs"},
    200: {"model": JobsReply, "description": "With `wait`: all jobs are final, none is put off"},
}

_SEARCH = 500  # characters, as many as a title has at most


async def _waiting(
    blocking: BlockingOf,
    wait: Annotated[bool, Query(description="Answer when all jobs are final")] = False,
) -> AsyncIterator[bool]:
    with blocking.place() if wait else nullcontext():  # before anything is accepted
        yield wait


Wait = Annotated[bool, Depends(_waiting)]


@router.post(
    "/kb/{kb}/documents",
    response_model=JobsReply,
    responses={**_PROBLEMS, **_ACCEPTED},
    openapi_extra=_BODY,
    status_code=status.HTTP_202_ACCEPTED,
)
async def add_documents(
    kb: str,
    request: Request,
    response: Response,
    service: ServiceOf,
    blocking: BlockingOf,
    wait: Wait,
) -> JobsReply:
    """Send files, up to 1,000 texts, or a URL. What is known by its name, uri or URL becomes a
    new version.
    """
    knowledge_base = await blocking.call(service.engine.open, kb)
    asked = await uploads.read(request)
    if isinstance(asked, UrlDocument):
        jobs = [await blocking.move(fetch, service, knowledge_base, asked)]
    else:
        jobs = await blocking.move(service.jobs.submit, knowledge_base, asked)
    return await _reply(jobs, wait, response, service, blocking)


@router.post(
    "/kb/{kb}/samples",
    response_model=JobsReply,
    responses={**_PROBLEMS, **_ACCEPTED},
    status_code=status.HTTP_202_ACCEPTED,
)
async def add_samples(
    kb: str, response: Response, service: ServiceOf, blocking: BlockingOf, wait: Wait
) -> JobsReply:
    """Add the sample documents, as if their files had been sent."""

    def submitted() -> list[Job]:
        knowledge_base = service.engine.open(kb)
        found = sample_uploads(service.settings.max_upload_bytes)
        return service.jobs.submit(knowledge_base, [Ingest(source) for source in found])

    return await _reply(await blocking.move(submitted), wait, response, service, blocking)


@router.put(
    "/kb/{kb}/documents/{document_id}",
    response_model=JobsReply,
    responses={**_PROBLEMS, **_ACCEPTED},
    openapi_extra=_BODY,
    status_code=status.HTTP_202_ACCEPTED,
)
async def replace_document(
    kb: str,
    document_id: str,
    request: Request,
    response: Response,
    service: ServiceOf,
    blocking: BlockingOf,
    wait: Wait,
) -> JobsReply:
    """Give a document new content; readers see the old version until the new one is complete."""
    knowledge_base = await blocking.call(service.engine.open, kb)
    known = await blocking.call(service.engine.documents.summary, knowledge_base, document_id)
    requests = await uploads.read(request)
    if isinstance(requests, UrlDocument):
        raise InvalidRequest("A document takes one file or one text, not a URL.")
    if len(requests) != 1:
        raise InvalidRequest(f"A document takes one file or text, not {len(requests)}.")
    ingest = uploads.renamed(requests[0], known.uri, document_id)
    jobs = await blocking.move(service.jobs.submit, knowledge_base, [ingest])
    return await _reply(jobs, wait, response, service, blocking)


@router.get("/kb/{kb}/documents", responses=_PROBLEMS)
async def list_documents(
    kb: str,
    service: ServiceOf,
    blocking: BlockingOf,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    filter: Annotated[str, Query(description="A metadata filter, as JSON")] = "{}",  # noqa: A002
    search: Annotated[
        str, Query(max_length=_SEARCH, description="Only those with it in title, uri or name")
    ] = "",
    sort: Annotated[
        str, Query(description=f"One of {SORTS}; with `-` before it, from the last to the first")
    ] = "uri",
) -> DocumentsReply:
    """The documents of a knowledge base, a page at a time."""
    try:
        condition = filters.condition(json.loads(filter))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"The filter isn't JSON: {error}.") from error
    if search:
        condition &= containing(search)

    def listed() -> DocumentsReply:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        documents = service.engine.documents
        found = documents.list(knowledge_base, limit, offset, condition, sort)
        return DocumentsReply(
            total=documents.count(knowledge_base, condition),
            documents=[DocumentReply.of(summary) for summary in found],
        )

    return await blocking.call(listed)


@router.get("/kb/{kb}/documents/{document_id}", responses=_PROBLEMS)
async def get_document(
    kb: str, document_id: str, service: ServiceOf, blocking: BlockingOf
) -> DocumentReply:
    """One document, as it is live."""

    def got() -> DocumentReply:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        return DocumentReply.of(service.engine.documents.summary(knowledge_base, document_id))

    return await blocking.call(got)


@router.delete(
    "/kb/{kb}/documents/{document_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=_PROBLEMS,
)
async def delete_document(
    kb: str, document_id: str, service: ServiceOf, blocking: WaitingOf
) -> None:
    """Forget a document: its versions, chunks, vectors, postings and original bytes."""

    def delete() -> None:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        service.jobs.remove(knowledge_base, document_id)
        service.evaluator.review(knowledge_base)  # its report may have texts of the document

    await blocking.wait(delete)  # until what is being done with it has stopped


@router.get("/kb/{kb}/documents/{document_id}/versions", responses=_PROBLEMS)
async def list_versions(
    kb: str, document_id: str, service: ServiceOf, blocking: BlockingOf
) -> VersionsReply:
    """The versions of a document, live and earlier, whose text and bytes can still be had."""

    def listed() -> VersionsReply:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        found = service.engine.documents.versions(knowledge_base, document_id)
        return VersionsReply(versions=[VersionReply.of(one) for one in found])

    return await blocking.call(listed)


@router.get(
    "/kb/{kb}/documents/{document_id}/text",
    response_class=PlainTextResponse,
    responses=_PROBLEMS,
)
async def get_text(
    kb: str,
    document_id: str,
    service: ServiceOf,
    blocking: BlockingOf,
    version: Version = None,
    start: Annotated[int, Query(ge=0, le=2**53)] = 0,
    end: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> PlainTextResponse:
    """The canonical text, or the part of it from `start` to `end`; how long it is in all stands in
    `X-Text-Length`. Offsets, of hits and citations too, count its Unicode code points.
    """

    def got() -> PlainTextResponse:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        document = service.engine.documents.get(knowledge_base, document_id, version)
        length = {"X-Text-Length": str(len(document.text))}
        headers = {"X-Document-Version": document.version, **length, **INERT}
        return PlainTextResponse(document.text[start:end], headers=headers)

    return await blocking.call(got)


@router.get(
    "/kb/{kb}/documents/{document_id}/original",
    response_class=Response,
    responses={**_PROBLEMS, 200: {"content": {"*/*": {}}, "description": "Of the type it has"}},
)
async def get_original(
    kb: str, document_id: str, service: ServiceOf, blocking: BlockingOf, version: Version = None
) -> Response:
    """The bytes as they were sent, to be saved: a browser never runs them."""

    def got() -> Response:
        knowledge_base = service.engine.knowledge_bases.get(kb)
        blob, name, media_type = service.engine.documents.original(
            knowledge_base, document_id, version
        )
        filename = quote(name.rsplit("/", 1)[-1], safe="")
        disposition = f"attachment; filename*=UTF-8''{filename}"
        # Among the headers, or a charset would be added that the bytes needn't be in.
        headers = {"Content-Disposition": disposition, "Content-Type": media_type, **INERT}
        return Response(service.engine.blobs.get(blob), headers=headers)

    return await blocking.move(got)


async def _reply(
    jobs: list[Job], wait: bool, response: Response, service: Service, blocking: Blocking
) -> JobsReply:
    if wait:
        jobs = await blocking.wait(service.jobs.wait, [job.id for job in jobs])
        if all(job.state.final for job in jobs):
            response.status_code = status.HTTP_200_OK
    return JobsReply(jobs=[JobReply.of(job) for job in jobs])
