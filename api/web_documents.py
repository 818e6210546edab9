"""Documents that are fetched from a URL: again only if they have changed."""

from dataclasses import replace

from api.requests import UrlDocument
from api.service import Service
from ingest.job_store import Job
from ingest.jobs import Request
from ingest.pipeline import identify
from ingest.types import Source
from retrieval.errors import InvalidRequest
from retrieval.types import KnowledgeBase, Metadata

_ETAG, _MODIFIED = "http_etag", "http_last_modified"


def fetch(service: Service, kb: KnowledgeBase, wanted: UrlDocument) -> Job:
    """The job of the document at a URL. Raises InvalidRequest, FetchFailed, TooLarge, Overloaded.

    What the server says of its version is kept with the metadata, and asked about the next time.
    """
    if service.fetcher is None:
        raise InvalidRequest(
            "Fetching URLs is off: send the document itself, or set FOOTNOTE_FETCH_URLS=true."
        )
    known = service.engine.documents.metadata(kb, identify(kb, wanted.url))
    etag, modified = (str(known.get(name, "")) for name in (_ETAG, _MODIFIED))
    found = service.fetcher.fetch(wanted.url, etag, modified)
    source = Source(
        uri=wanted.url,
        name=found.name,
        data=found.data or b"",
        media_type=found.media_type,
        title=wanted.title,
        metadata=_metadata(known, wanted, found.etag, found.modified),
    )
    if found.data is None:
        return service.jobs.unchanged(kb, replace(source, metadata=None))
    [job] = service.jobs.submit(kb, [Request(source, unique=False)])
    return job


def _metadata(known: Metadata, wanted: UrlDocument, etag: str, modified: str) -> Metadata:
    given = known if wanted.metadata is None else wanted.kept()
    said = {name: value for name, value in ((_ETAG, etag), (_MODIFIED, modified)) if value}
    return {k: v for k, v in given.items() if k not in (_ETAG, _MODIFIED)} | said
