"""The pages of PDFs as they are seen: where a span of the text stands on them, their pictures."""

from ingest.parsing import ProcessParser
from ingest.types import PageBoxes, Picture
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest, PageNotFound
from retrieval.types import Document, KnowledgeBase

MAX_SPAN = 20_000  # code points; several pages
_PDF = "application/pdf"


class Highlighter:
    """Finds boxes and draws pages. Any thread may call it; its parser should not be the one that
    ingests.
    """

    def __init__(self, engine: Engine, parser: ProcessParser) -> None:
        self._engine = engine
        self._parser = parser

    def boxes(
        self, kb: KnowledgeBase, document: Document, start: int, end: int
    ) -> tuple[PageBoxes, ...]:
        """Rectangles, about one a line, that cover `[start, end)`, by page; none if it isn't a PDF.

        Raises InvalidRequest for a span that isn't inside the text, and what `parsers.boxes` does.
        """
        _check_span(document, start, end)
        if document.media_type != _PDF:
            return ()
        data, name = self._file(kb, document)
        found = [
            self._parser.boxes(data, name, page, start, end)
            for page in document.pages
            if page.start < end and start < page.end
        ]
        return tuple(each for each in found if each.boxes)

    def picture(
        self,
        kb: KnowledgeBase,
        document: Document,
        number: int,
        scale: float,
        highlight: tuple[int, int] | None = None,
    ) -> Picture:
        """A page of a PDF, from 1, with what it has of the span `highlight` marked.

        Raises InvalidRequest for what isn't a PDF or a span that isn't inside the text,
        PageNotFound, and what `parsers.picture` does.
        """
        if document.media_type != _PDF:
            raise InvalidRequest(
                f"{document.uri} is {document.media_type}: only PDFs have pictures of their pages."
            )
        page = next((page for page in document.pages if page.number == number), None)
        if page is None:
            raise PageNotFound(document.uri, number, len(document.pages))
        if highlight:
            _check_span(document, *highlight)
        data, name = self._file(kb, document)
        boxes = self._parser.boxes(data, name, page, *highlight).boxes if highlight else ()
        return self._parser.picture(data, name, number, scale, boxes)

    def _file(self, kb: KnowledgeBase, document: Document) -> tuple[bytes, str]:
        """The bytes of a document, and their name."""
        blob, name, _ = self._engine.documents.original(kb, document.id, document.version)
        return self._engine.blobs.get(blob), name


def _check_span(document: Document, start: int, end: int) -> None:
    if not 0 <= start < end <= len(document.text) or end - start > MAX_SPAN:
        raise InvalidRequest(
            f"{start} to {end} isn't a span of this text: it has {len(document.text)} "
            f"characters, and a span at most {MAX_SPAN}."
        )
