"""The page: files of ours, nothing loaded from elsewhere."""

from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import FileResponse, PlainTextResponse

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent.parent / "web"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types footnote-answers",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept",
}


@router.get("/")
async def page(request: Request) -> Response:
    """Upload, ask, read the footnotes. Programs that don't ask for a page get what they expect of
    an Ollama server.
    """
    if "text/html" in request.headers.get("accept", ""):
        return FileResponse(_FOLDER / "index.html", headers={**_HEADERS, **_FRESH})
    return PlainTextResponse("Ollama is running", headers={"Vary": "Accept"})


@router.head("/")
async def alive() -> Response:
    """What an Ollama client asks first."""
    return PlainTextResponse("")


@router.get("/web/{name}")
async def file(name: str, request: Request) -> Response:
    """One of the page's modules, its styles or its icon; the page itself has another address.

    A browser asks each time whether they have changed, so that none of an older version stays
    beside newer ones.
    """
    found = _files().get(name)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    if found.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=found.headers)
    return Response(found.content, media_type=found.kind, headers=found.headers)


@dataclass(frozen=True)
class _File:
    """A file of the page, in memory: the first view needs many of them, and none needs a thread."""

    content: bytes
    kind: str

    @cached_property
    def tag(self) -> str:
        return f'"{sha256(self.content).hexdigest()}"'

    @property
    def headers(self) -> dict[str, str]:
        return {**_HEADERS, **_FRESH, "ETag": self.tag}


@cache
def _files() -> dict[str, _File]:
    """The files by name."""
    paths = [path for path in _FOLDER.iterdir() if path.suffix in _KINDS]
    return {path.name: _File(path.read_bytes(), _KINDS[path.suffix]) for path in paths}


_FRESH = {"Cache-Control": "no-cache"}
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
