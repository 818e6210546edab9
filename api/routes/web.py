"""The page: one file, nothing loaded from elsewhere."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

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
async def page() -> FileResponse:
    """Upload, ask, read the footnotes."""
    return FileResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})
