"""How an answer's footnotes are told: as data, and as notes under the text."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from api.replies import CitationReply
from retrieval.citations import place
from retrieval.question import is_chinese
from retrieval.types import Answer, Citation, KnowledgeBase

_LONGEST_FRAGMENT = 200  # characters of a quote in an address
_HEADINGS = {True: "来源", False: "Sources"}
_NOTES = re.compile(rf"\n\n\*\*(?:{'|'.join(_HEADINGS.values())})\*\*\n\n(?=- \*\*\[1\])")


def described(
    citation: Citation, kb: KnowledgeBase, base_url: str, start: int, end: int
) -> Mapping[str, Any]:
    """A citation as data: with the link to its source, and where in the answer it belongs."""
    return {
        **CitationReply.of(citation).model_dump(mode="json"),
        "knowledge_base": kb.name,
        "url": link(citation, kb, base_url),
        "answer_start": start,
        "answer_end": end,
    }


def link(citation: Citation, kb: KnowledgeBase, base_url: str) -> str:
    """Where the source can be read; a browser scrolls to the quote."""
    path = f"kb/{quote(kb.name)}/documents/{citation.document_id}/text"
    words = " ".join(citation.quote.split())[:_LONGEST_FRAGMENT]
    fragment = quote(words, safe="").replace("-", "%2D")
    return f"{base_url}{path}?version={citation.version}#:~:text={fragment}"


def notes(answer: Answer, kb: KnowledgeBase, base_url: str) -> str:
    """The footnotes as text under an answer, for clients that show nothing else."""
    if not answer.citations:
        return ""
    heading = _HEADINGS[is_chinese(answer.text)]
    lines = [_note(citation, kb, base_url) for citation in answer.citations]
    return f"\n\n**{heading}**\n\n" + "\n".join(lines)


def without_notes(text: str) -> str:
    """An answer as it was before its notes, for a conversation that it comes back in."""
    return _NOTES.split(text, maxsplit=1)[0]


def _note(citation: Citation, kb: KnowledgeBase, base_url: str) -> str:
    """Not `[1]: address`, which Markdown takes for a definition and hides."""
    page = place(citation.page, "p.")
    title = citation.title.replace("[", "(").replace("]", ")")
    words = " ".join(citation.quote.split())
    return f"- **[{citation.marker}]** [{title}{page}]({link(citation, kb, base_url)}): “{words}”"
