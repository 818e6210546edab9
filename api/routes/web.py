"""The page: one file, nothing loaded from elsewhere."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse

router = APIRouter(include_in_schema=False)

_PAGE = Path(__file__).parent.parent / "web" / "index.html"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    )
)


@router.get("/")
async def page(request: Request) -> Response:
    """Upload, ask, read the footnotes. Programs that don't ask for a page get what they expect of
    an Ollama server.
    """
    if "text/html" in request.headers.get("accept", ""):
        return FileResponse(_PAGE, headers={"Content-Security-Policy": _POLICY, **_VARY})
    return PlainTextResponse("Ollama is running", headers=_VARY)


@router.head("/")
async def alive() -> Response:
    """What an Ollama client asks first."""
    return PlainTextResponse("")


_VARY = {"Vary": "Accept"}
