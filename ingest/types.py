"""What the steps of ingestion pass on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from retrieval.types import Box, Heading, Metadata, Page


class Stage(StrEnum):
    """How far a document is on its way in; the last three are final."""

    QUEUED = "queued"
    PARSING = "parsing"
    CHUNKING = "chunking"
    EMBEDDING = "embedding"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in (Stage.DONE, Stage.FAILED, Stage.CANCELLED)


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes and what is known of them before they are read.

    `uri` is the identity of the document in its knowledge base, `name` the file name that its
    owner knows; `title`, where given, overrules the one that a parser finds. Metadata that isn't
    given stays as it is.
    """

    uri: str
    name: str
    data: bytes
    media_type: str | None = None
    title: str | None = None
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser makes of bytes: canonical text and the anchors in it.

    Pages and headings are spans of `text` in reading order; pages neither overlap nor leave
    text out. `title` is the one the file itself gives, if it does.
    """

    text: str
    media_type: str
    title: str | None = None
    pages: tuple[Page, ...] = ()
    headings: tuple[Heading, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageBoxes:
    """Where a span stands on a page, which is `width` by `height` points as it is seen."""

    page: Page
    width: float
    height: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as it is seen, as PNG, `scale` pixels a point."""

    png: bytes
    scale: float


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What a parser may spend on one file."""

    pages: int = 5_000
    characters: int = 50_000_000
    seconds: float = 300.0
    nesting: int = 3  # files in files, such as attachments of messages
