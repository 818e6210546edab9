"""Where on its pages a span of a PDF's text stands."""

from ingest.parsing import ProcessParser
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest
from retrieval.types import Box, KnowledgeBase

MAX_SPAN = 20_000  # code points; several pages


class Highlighter:
    """Finds boxes. Any thread may call it; its parser should not be the one that ingests."""

    def __init__(self, engine: Engine, parser: ProcessParser) -> None:
        self._engine = engine
        self._parser = parser

    def boxes(
        self, kb: KnowledgeBase, document_id: str, start: int, end: int, version: str | None = None
    ) -> tuple[Box, ...]:
        """Rectangles, about one a line, that cover `[start, end)`; none if it isn't a PDF.

        Raises DocumentNotFound, InvalidRequest for a span that isn't inside the text.
        """
        document = self._engine.documents.get(kb, document_id, version)
        if not 0 <= start < end <= len(document.text) or end - start > MAX_SPAN:
            raise InvalidRequest(
                f"{start} to {end} isn't a span of this text: it has {len(document.text)} "
                f"characters, and a span at most {MAX_SPAN}."
            )
        if document.media_type != "application/pdf":
            return ()
        blob, name, _ = self._engine.documents.original(kb, document_id, document.version)
        data = self._engine.blobs.get(blob)
        return tuple(
            box
            for page in document.pages
            if page.start < end and start < page.end
            for box in self._parser.boxes(data, name, page, start, end)
        )
