"""URLs in settings: they stand in errors and logs, so they hold nothing that isn't to be told."""

from retrieval.errors import InvalidRequest


def check_bare(url: str, setting: str, instead: str) -> None:
    """Raises InvalidRequest, which doesn't repeat it, where a URL holds credentials: it names the
    setting, and those that are for them `instead`.
    """
    if "@" in url or "?" in url:
        raise InvalidRequest(
            f"{setting} holds a user, a password or a query: give {instead} instead, which errors "
            f"and logs don't repeat."
        )
