"""The sample documents that come with the package."""

from ingest import sources
from ingest.sources import Patterns
from ingest.types import Source
from sample_docs import FOLDER

PATTERNS = Patterns(include=("*.md", "*.txt", "*.html", "*.pdf", "*.docx"))


def sample_uploads(limit: int) -> list[Source]:
    """The sample documents as if somebody had sent their files, of `limit` bytes at most."""
    files, _ = sources.find([FOLDER], PATTERNS)
    return [sources.upload(path.name, sources.read(path, limit).data, None, None) for path in files]
