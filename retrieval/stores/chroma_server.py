"""Finding a Chroma server: is it one, is it new enough, and is there room for us?"""

import json
import re
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.config import Settings
from chromadb.errors import error_types

from retrieval.bare_urls import check_bare
from retrieval.errors import InvalidRequest, StoreUnavailable
from retrieval.stores.chroma_access import Access
from retrieval.stores.chroma_settings import ChromaSettings
from retrieval.stores.reconnecting import PASSING

_OLDEST = 1  # the first major version that answers as chromadb 1.5 expects
_API = "/api/v2"
_DEFAULT_PORT = 8000

# Seconds. chromadb itself would wait for ever.
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,198}[a-zA-Z0-9]")
_TOKEN = re.compile(r"[!-~]*")  # what a header may hold


def address(settings: ChromaSettings) -> str:
    """Where the server is, without a path's last slash. Raises InvalidRequest."""
    check_bare(settings.url, "FOOTNOTE_CHROMA_URL", "FOOTNOTE_CHROMA_TOKEN")
    try:
        parts = urlsplit(settings.url)
        port = parts.port
    except ValueError as error:
        raise InvalidRequest(f"FOOTNOTE_CHROMA_URL is {settings.url!r}: {error}.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRequest(
            f"{settings.url!r} is not the address of a Chroma server (http://host:port)."
        )
    place = parts.netloc
    if port is None and parts.scheme == "http":
        place = f"{place.removesuffix(':')}:{_DEFAULT_PORT}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/').removesuffix(_API)}"


def connected(settings: ChromaSettings, access: Access) -> ClientAPI:
    """A client of the server, which has this tenant and database by then.

    Raises InvalidRequest for settings that can't be used, StoreUnavailable.
    """
    url, headers = address(settings), _headers(settings)
    for variable, name in (("TENANT", settings.tenant), ("DATABASE", settings.database)):
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                f"FOOTNOTE_CHROMA_{variable} is {name!r}: use 3 to 200 letters, digits, dots, "
                f"dashes and underscores, with a letter or digit at both ends."
            )
    with httpx.Client(base_url=url + _API, headers=headers, timeout=_TIMEOUT) as http:
        _check_version(access.read(partial(_get, http, "/version")), url)
        access.write(partial(_make_room, http, settings))
    client = access.read(
        lambda: chromadb.HttpClient(
            host=url,
            headers={**headers},
            tenant=settings.tenant,
            database=settings.database,
            settings=Settings(anonymized_telemetry=False),
        )
    )
    for session in sessions(client):
        session.timeout = _TIMEOUT
        session.event_hooks = {"response": [_check_refusal]}
    return client


def sessions(client: ClientAPI) -> list[httpx.Client]:
    """The HTTP connections of a client, which it neither closes nor lets time out itself."""
    owners = (client, getattr(client, "_admin_client", None))
    found = (getattr(getattr(owner, "_server", None), "_session", None) for owner in owners)
    return [session for session in found if isinstance(session, httpx.Client)]


def _headers(settings: ChromaSettings) -> dict[str, str]:
    """The token, as a proxy before a server takes it and as Chroma Cloud does."""
    if not _TOKEN.fullmatch(settings.token):
        raise InvalidRequest("FOOTNOTE_CHROMA_TOKEN holds what no header may: a space, or worse.")
    if not settings.token:
        return {}
    return {"Authorization": f"Bearer {settings.token}", "X-Chroma-Token": settings.token}


def _check_version(answer: httpx.Response, url: str) -> None:
    """Raises StoreUnavailable where no Chroma answers, or one that is too old."""
    try:
        version = str(json.loads(answer.text)) if answer.is_success else ""
        major = int(version.split(".")[0])
    except ValueError:
        raise StoreUnavailable(
            f"What answers at {url} is no Chroma server, or one older than {_OLDEST}.0: check "
            f"FOOTNOTE_CHROMA_URL."
        ) from None
    if major < _OLDEST:
        raise StoreUnavailable(
            f"The Chroma server at {url} has version {version}; {_OLDEST}.0 or newer is needed."
        )


def _make_room(http: httpx.Client, settings: ChromaSettings) -> None:
    """Make the tenant and the database where they are missing, and that is permitted."""
    tenant, database = quote(settings.tenant), quote(settings.database)
    if _get(http, f"/tenants/{tenant}/databases/{database}").is_success:
        return
    if not _get(http, f"/tenants/{tenant}").is_success:
        _make(http, "/tenants", f"tenant {settings.tenant!r}", settings.tenant)
    where = f"/tenants/{tenant}/databases"
    _make(http, where, f"database {settings.database!r}", settings.database)


def _get(http: httpx.Client, path: str) -> httpx.Response:
    """What there is, or 404. Raises HTTPStatusError."""
    answer = http.get(path)
    if not answer.is_success and answer.status_code != HTTPStatus.NOT_FOUND:
        raise _refusal(answer)
    return answer


def _make(http: httpx.Client, path: str, what: str, name: str) -> None:
    answer = http.post(path, json={"name": name})
    if not answer.is_success and answer.status_code != HTTPStatus.CONFLICT:  # who was faster
        raise _refusal(answer, f"there is no {what}, and it can't be made: ")


def _check_refusal(answer: httpx.Response) -> None:
    """Raises HTTPStatusError for a refusal that isn't Chroma's own, as of a proxy before it, of
    which chromadb would raise a bare Exception; and for one that passes.
    """
    if answer.is_success:
        return
    answer.read()
    if answer.status_code in PASSING or not _is_chromas(answer):
        raise _refusal(answer)


def _refusal(answer: httpx.Response, what: str = "") -> httpx.HTTPStatusError:
    said = f"{what}it answered {answer.status_code} {answer.reason_phrase}"
    return httpx.HTTPStatusError(said, request=answer.request, response=answer)


def _is_chromas(answer: httpx.Response) -> bool:
    try:
        said = answer.json()
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("error") in error_types and "message" in said
