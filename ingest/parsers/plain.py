"""Plain text: kept line by line."""

from ingest.parsers.characters import tidy
from ingest.parsers.detection import RawFile
from ingest.parsers.encoding import decode
from ingest.types import Parsed, ParseLimits


def parse_plain(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The text as it stands, in canonical characters."""
    return Parsed(tidy(decode(file.data, file.name, file.charset)), file.kind.value)
