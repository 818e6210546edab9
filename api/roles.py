"""Who ingests: a process that serves does so too, unless others do that share its catalogue."""

from api.settings import Settings
from retrieval.errors import InvalidRequest


def check_serving(settings: Settings) -> None:
    """Raises InvalidRequest where a process that serves would accept what nobody ingests."""
    if settings.ingest_workers:
        return
    if not settings.shares_catalogue:
        raise InvalidRequest(
            "With FOOTNOTE_INGEST_WORKERS=0 others are to ingest what this process accepts, but "
            "its catalogue is in SQLite, which is one process's alone. Set FOOTNOTE_DATABASE_URL "
            "to a Postgres database, which it can share with `footnote work`."
        )
    if settings.sync:
        raise InvalidRequest(
            "To mirror folders is to ingest, which a process with FOOTNOTE_INGEST_WORKERS=0 leaves "
            "to others: set FOOTNOTE_SYNC where `footnote work` runs."
        )


def check_working(settings: Settings) -> None:
    """Raises InvalidRequest where a process that only ingests would find nothing to do."""
    if not settings.shares_catalogue:
        raise InvalidRequest(
            "`footnote work` ingests what others accept whose catalogue it shares, but this one is "
            "in SQLite, which is one process's alone: there `footnote serve` ingests by itself. "
            "To part the two, set FOOTNOTE_DATABASE_URL to a Postgres database for both."
        )
    if not settings.ingest_workers:
        raise InvalidRequest(
            "`footnote work` would do nothing with FOOTNOTE_INGEST_WORKERS=0: 1 is the least."
        )
