import pytest

from retrieval.chat.extractive import Draft, ExtractiveAnswerer
from retrieval.reading.reader import Reader
from retrieval.sentences import sentences
from tests.retrieval.library import Library

HANDBOOK = """# Warranty

The Kestrel is covered for twenty-four months. Batteries are covered for six months.
Thank you for choosing the Kestrel.

# Returns

1. Returns
Goods can be returned within seven days. The buyer pays for the parcel.

# 运费险

运费险由禾安保险承保。理赔时限是七天。
"""


def drafted(library: Library, question: str) -> Draft:
    postings = library.engine.stores.lexical(library.kb.generation.id)
    hits = library.hits(question, k=10)
    return ExtractiveAnswerer(Reader(library.engine.embedders)).draft(question, hits, postings)


def quoted(draft: Draft, library: Library) -> list[str]:
    texts = []
    for quote in draft.quotes:
        document = library.engine.documents.get(library.kb, quote.hit.chunk.document_id)
        texts.append(document.text[quote.start : quote.end])
    return texts


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How long are batteries covered?", "Batteries are covered for six months."),
        ("Within how many days can goods be returned?", "Goods can be returned within seven days."),
        ("运费险由谁承保？", "运费险由禾安保险承保。"),
    ],
)
def test_the_sentence_that_answers_comes_first(
    library: Library, question: str, answer: str
) -> None:
    library.add("handbook", HANDBOOK)
    assert quoted(drafted(library, question), library)[0] == answer


def test_quotes_are_few_best_first_and_each_says_something_else(library: Library) -> None:
    for number in range(6):
        library.add(f"copy {number}", f"# Copy {number}\n\nBatteries are covered for six months.")
    library.add("other", "# Other\n\nBatteries are covered by glass, says the manual of 1999.")
    draft = drafted(library, "How are batteries covered?")
    texts = quoted(draft, library)
    assert len(texts) == len(set(texts)) <= 3
    shares = [quote.share for quote in draft.quotes]
    assert shares == sorted(shares, reverse=True)
    assert 0 <= sum(shares) <= 1.000001


def test_a_line_that_only_repeats_the_question_is_no_answer(library: Library) -> None:
    library.add("handbook", HANDBOOK)
    texts = quoted(drafted(library, "What about returns?"), library)
    assert texts
    assert "1. Returns" not in texts


def test_nothing_found_is_nothing_quoted(library: Library) -> None:
    draft = drafted(library, "anything")
    assert (draft.quotes, draft.considered) == ((), 0)
    assert draft.evidence.coverage == draft.evidence.cosine == 0


def test_evidence_is_stronger_where_there_is_an_answer(library: Library) -> None:
    library.add("handbook", HANDBOOK)
    good = drafted(library, "How long is the Kestrel covered?").evidence
    bad = drafted(library, "Which planet has rings of ice?").evidence
    assert good.coverage > bad.coverage
    assert good.passage_coverage >= good.after_coverage >= good.coverage
    assert good.cosine > bad.cosine


def test_a_sentence_in_two_overlapping_chunks_is_quoted_once(library: Library) -> None:
    library.add("a", "One sentence about zebras here.")
    hit = library.hits("zebras")[0]
    answerer = ExtractiveAnswerer(Reader(library.engine.embedders))
    postings = library.engine.stores.lexical(library.kb.generation.id)
    assert len(answerer.draft("What about zebras?", [hit, hit], postings).quotes) == 1


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (
            "The Kestrel pump was built in Leeds. It weighs twelve kilograms. Nobody paints it.",
            "How much does the Kestrel pump weigh?",
            "The Kestrel pump was built in Leeds. It weighs twelve kilograms.",
        ),
        (
            "海岚净水器产自苏州。它的重量是十二千克。没有人给它上漆。",
            "海岚净水器的重量是多少？",
            "海岚净水器产自苏州。它的重量是十二千克。",
        ),
    ],
)
def test_a_sentence_that_points_back_is_quoted_with_what_it_points_to(
    library: Library, text: str, question: str, answer: str
) -> None:
    library.add("a", text)
    assert quoted(drafted(library, question), library)[0] == answer


def test_a_quote_has_at_most_two_sentences(library: Library) -> None:
    library.add("a", " ".join(f"The pump number {n} has the pressure {n}." for n in range(20)))
    for text in quoted(drafted(library, "Which pressure has the pump?"), library):
        assert 1 <= len(sentences(text)) <= 2
