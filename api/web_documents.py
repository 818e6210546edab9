"""Documents that are fetched from a URL: again only if they have changed."""

import hashlib
from dataclasses import replace

from api.requests import UrlDocument
from api.service import Service
from ingest import sources
from ingest.fetching import Fetched
from ingest.job_store import Job
from ingest.jobs import Request
from ingest.pipeline import identify
from ingest.types import Source
from retrieval.errors import InvalidRequest
from retrieval.types import KnowledgeBase, Metadata

_ETAG, _MODIFIED, _SHA256 = "http_etag", "http_last_modified", "http_sha256"
_SAID = (_ETAG, _MODIFIED, _SHA256)


def fetch(service: Service, kb: KnowledgeBase, wanted: UrlDocument) -> Job:
    """The job of the document at a URL. Raises InvalidRequest, FetchFailed, TooLarge, Overloaded.

    What the server says of its version is kept with the metadata, and asked about the next time.
    """
    if service.fetcher is None:
        raise InvalidRequest(
            "Fetching URLs is off: send the document itself, or set FOOTNOTE_FETCH_URLS=true."
        )
    known = service.engine.documents.metadata(kb, identify(kb, wanted.url))
    asked = _asked(service, kb, wanted, known)
    found = service.fetcher.fetch(wanted.url, asked.get(_ETAG, ""), asked.get(_MODIFIED, ""))
    source = Source(
        uri=wanted.url,
        name=sources.printable(found.name),
        data=found.data or b"",
        media_type=found.media_type,
        title=wanted.title,
        metadata=_metadata(known, wanted, found),
    )
    if found.data is None:
        return service.jobs.unchanged(kb, replace(source, metadata=None))
    [job] = service.jobs.submit(kb, [Request(source, unique=False)])
    return job


def _asked(
    service: Service, kb: KnowledgeBase, wanted: UrlDocument, known: Metadata
) -> dict[str, str]:
    """What is known of the page, where the document is that page still and is to stay as it is."""
    document_id = identify(kb, wanted.url)
    if wanted.title or wanted.metadata is not None or service.jobs.coming(kb, document_id):
        return {}
    said = {name: str(known[name]) for name in _SAID if name in known}
    live = service.engine.documents.live_blob(kb, document_id)
    return said if live and said.get(_SHA256) == live else {}


def _metadata(known: Metadata, wanted: UrlDocument, found: Fetched) -> Metadata:
    given = wanted.kept()
    given = known if given is None else given
    said = {
        _ETAG: found.etag,
        _MODIFIED: found.modified,
        _SHA256: hashlib.sha256(found.data or b"").hexdigest(),
    }
    if not (found.etag or found.modified):
        said.clear()
    kept = {k: v for k, v in given.items() if k not in _SAID}
    return kept | {k: v for k, v in said.items() if v}
