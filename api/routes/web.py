"""The page: files of ours, nothing loaded from elsewhere."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

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


class PageFiles(StaticFiles):
    """The page's modules, styles and icon, but not the page, which has one address. A browser asks
    each time whether they have changed, so that none of an older version stays beside newer ones.
    """

    def __init__(self) -> None:
        super().__init__(directory=_FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.endswith(".html"):
            raise HTTPException(status.HTTP_404_NOT_FOUND)
        response = await super().get_response(path, scope)
        response.headers.update({**_HEADERS, **_FRESH})
        return response


_FRESH = {"Cache-Control": "no-cache"}
