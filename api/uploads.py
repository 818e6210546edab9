"""Request bodies that bring documents: files as multipart, texts as JSON."""

import hashlib
from dataclasses import replace
from tempfile import gettempdir
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.aside import aside
from api.requests import MAX_DOCUMENTS, Metadata, TextDocument, TextDocuments, UrlDocument
from ingest import sources
from ingest.jobs import Request as Ingest
from ingest.types import Source
from ingest.unpacking import is_archive, unpack
from retrieval.errors import InvalidRequest, StoreUnavailable
from retrieval.types import Metadata as Kept
from retrieval.types import to_metadata

_METADATA: TypeAdapter[Metadata] = TypeAdapter(Metadata)
MAX_NAME = 1_024


async def read(request: Request) -> list[Ingest] | UrlDocument:
    """The documents of a request body, or the one that is to be fetched.

    Raises InvalidRequest, RequestValidationError, and IngestError for an archive that can't be
    unpacked.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        try:
            return await _files(request)
        except UnicodeError as error:
            raise InvalidRequest(f"The form can't be decoded: {error}.") from error
        except OSError as error:  # larger ones are kept in a file until they are read
            raise StoreUnavailable(
                f"The upload can't be kept while it comes in: {error.strerror}. Make room in "
                f"{gettempdir()}, or name another folder in TMPDIR."
            ) from error
    if kind == "application/json":
        return await aside(_texts, await request.body())
    raise InvalidRequest(
        f"The body is {kind or 'of no declared type'}: send files as multipart/form-data in the "
        f"field 'files', or texts as application/json."
    )


async def _files(request: Request) -> list[Ingest]:
    async with request.form(max_files=MAX_DOCUMENTS, max_fields=16) as form:
        unknown = sorted(set(form) - {"files", "metadata"})
        if unknown:
            raise InvalidRequest(
                f"The form has the field {unknown[0]!r}; send files as 'files', and as 'metadata' "
                f"a JSON object for all of them."
            )
        files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
        if not files or len(files) < len(form.getlist("files")):
            raise InvalidRequest("The form's field 'files' holds no file, or one without a name.")
        metadata = _form_metadata(form.get("metadata"))
        found = [
            sources.upload(_name(file.filename), await file.read(), _declared(file), metadata)
            for file in files
        ]
    return await run_in_threadpool(_unpacked, found)


def _unpacked(found: list[Source]) -> list[Ingest]:
    """A request a document; the files of a zip archive are documents."""
    requests: list[Ingest] = []
    for source in found:
        if is_archive(source):
            requests += [Ingest(replace(one, name=_name(one.name))) for one in unpack(source)]
        else:
            requests.append(Ingest(source))
    return requests


def _texts(body: bytes) -> list[Ingest] | UrlDocument:
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidRequest(f"The body isn't JSON: {error}.") from error
    many = isinstance(value, dict) and "documents" in value
    try:
        if isinstance(value, dict) and "url" in value:
            return UrlDocument.model_validate(value)
        documents = (
            TextDocuments.model_validate(value).documents
            if many
            else [TextDocument.model_validate(value)]
        )
    except ValidationError as error:
        raise _misfit("body", error) from error
    return [_text(document) for document in documents]


def _text(document: TextDocument) -> Ingest:
    """A text under its own identity; equal texts under different ones are kept apart."""
    digest = hashlib.sha256(document.text.encode()).hexdigest()
    uri = document.uri or f"text:{digest[:16]}"
    source = sources.text(uri, document.text, document.title, document.kept())
    return Ingest(source, unique=document.uri is None)


def _form_metadata(field: Any) -> Kept | None:
    if field is None:
        return None
    if not isinstance(field, str):
        raise InvalidRequest("The form's field 'metadata' is a JSON object, not a file.")
    try:
        return to_metadata(_METADATA.validate_json(field))
    except ValidationError as error:
        raise _misfit("metadata", error) from error


def _misfit(where: str, error: ValidationError) -> RequestValidationError:
    return RequestValidationError([{**e, "loc": (where, *e["loc"])} for e in error.errors()])


def _name(name: str | None) -> str:
    """The name of an upload, which may say in which folder the file was.

    In a form `"` is written `%22`, and nothing else is (WHATWG, multipart/form-data).
    """
    cleaned = (name or "").replace("%22", '"').replace("\\", "/").lstrip("/").strip()
    if not cleaned or len(cleaned) > MAX_NAME or not cleaned.isprintable():
        shown = (name or "")[:80]
        raise InvalidRequest(
            f"{shown!r} can't name a document: use 1 to {MAX_NAME} printable characters."
        )
    return cleaned


def _declared(file: UploadFile) -> str | None:
    """The media type that the sender declares, where it says anything."""
    kind = (file.content_type or "").split(";")[0].strip().lower()
    return None if kind in ("", "application/octet-stream") else kind


def renamed(request: Ingest, uri: str, document_id: str) -> Ingest:
    """The same content for a document that exists."""
    return Ingest(replace(request.source, uri=uri), unique=False, document_id=document_id)
