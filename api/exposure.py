"""No server is open to others by accident."""

from api.settings import Settings
from api.visitors import is_loopback
from retrieval.errors import InvalidRequest


def check(settings: Settings, *, keys: bool) -> None:
    """Raises InvalidRequest where others than this machine could call, and nothing would stop
    them: there is no key, and nobody said that none is wanted.
    """
    if keys or settings.allow_anonymous or is_loopback(settings.host):
        return
    raise InvalidRequest(
        f"Others could reach {settings.host!r}, and there is no key yet, so they could read and "
        f"change everything. Make one with `footnote keys create NAME`, or listen on 127.0.0.1. "
        f"To let in whoever can reach it, set FOOTNOTE_ALLOW_ANONYMOUS=true."
    )
