from dataclasses import replace
from urllib.parse import unquote

import pytest

from api.ollama.footnotes import described, link, notes, without_notes
from retrieval.embedding.hashing import HashingBackend
from retrieval.types import (
    Answer,
    Citation,
    Generation,
    KnowledgeBase,
    KnowledgeBaseSettings,
    Usage,
)

BASE = "http://localhost:7373/"
KB = KnowledgeBase(
    "id", "docs", KnowledgeBaseSettings(), Generation("g", HashingBackend().identity, "c"), 0.0
)
CITATION = Citation(
    1, "d1", "v1", "uri", "Manual [2]", 5, 30, "It runs\non 12-V & more.", "iv", True, 0.9
)
ANSWER = Answer("q", "It runs. [1]", (CITATION,), (), (), (), False, 0.9, "m", Usage(1, 1), {})


def test_a_note_has_the_place_the_link_and_the_words() -> None:
    text = notes(ANSWER, KB, BASE)
    assert text.startswith(
        "\n\n**Sources**\n\n- **[1]** [Manual (2), p. iv](http://localhost:7373/kb/docs/"
    )
    assert text.endswith("): “It runs on 12-V & more.”")


def test_notes_are_in_the_language_of_the_answer() -> None:
    assert "**来源**" in notes(replace(ANSWER, text="时限是七天。 [1]"), KB, BASE)
    assert notes(replace(ANSWER, citations=()), KB, BASE) == ""


def test_a_link_leads_to_the_words() -> None:
    address, fragment = link(CITATION, KB, BASE).split("#:~:text=")
    assert address == "http://localhost:7373/kb/docs/documents/d1/text?version=v1"
    assert unquote(fragment) == "It runs on 12-V & more."
    assert "-" not in fragment and "&" not in fragment and "," not in fragment


def test_a_citation_as_data() -> None:
    told = described(CITATION, KB, BASE, 0, 12)
    assert (told["quote"], told["start"], told["end"]) == (CITATION.quote, 5, 30)
    assert (told["answer_start"], told["answer_end"], told["knowledge_base"]) == (0, 12, "docs")


@pytest.mark.parametrize("text", ["It runs. [1]", "时限是七天。 [1]", ""])
def test_an_answer_comes_back_without_its_notes(text: str) -> None:
    assert without_notes(text + notes(replace(ANSWER, text=text), KB, BASE)) == text
    assert without_notes(f"{text}\n\n**Sources** of joy") == f"{text}\n\n**Sources** of joy"
