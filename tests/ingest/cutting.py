"""Documents of every script and shape to cut, and tokenizers to count with."""

from collections.abc import Sequence

from hypothesis import strategies as st

from ingest.chunking import CutDocument
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.tokens import TokenizedText
from retrieval.types import Document, Heading

WORDS = st.sampled_from(
    "The cat, naïve. Mr. Smith ran! GPT-4o 1,234.56 | # – U.S. 退货 运费险。 你好，世界！ です。 "
    "か\u3099 e\u0301 👩\u200d👩 𠀀𠀁 العربية। \u200b x\u0301\u0302 a_b_c https://a.example/b?c=d".split()
)
GAPS = st.sampled_from([" ", "", "\n", "\n\n", "  \n \n", "\t"])
PAIRS = st.tuples(WORDS, GAPS)
PROSE = (st.lists(PAIRS, max_size=5) | st.lists(PAIRS, min_size=40, max_size=120)).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
SECTIONS = st.lists(st.tuples(st.integers(1, 4), WORDS, PROSE), max_size=4)


def document(text: str, headings: Sequence[Heading] = (), title: str = "Title") -> Document:
    return Document("d", "d", "v", title, "text/plain", text, headings=tuple(headings))


def assemble(preamble: str, sections: Sequence[tuple[int, str, str]], title: str) -> Document:
    """A document of these sections: level and words of each heading, and the prose under it."""
    text, headings = preamble + "\n", []
    for level, words, prose in sections:
        headings.append(Heading(len(text), len(text) + len(words), level))
        text += f"{words}\n{prose}\n"
    return document(text, headings, title)


DOCUMENTS = st.builds(assemble, PROSE, SECTIONS, st.sampled_from(["", "A title", "标题" * 40]))


class CodePoints:
    """A tokenizer of code points, white space included: a whole is more than its sentences."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [2 + len(text) for text in texts]

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        return list(map(TokenizedText, texts, self.count_tokens(texts)))


CODE_POINTS = CodePoints()
HASHING = HashingBackend()


def spans_of(found: CutDocument, source: Document) -> list[str]:
    return [source.text[chunk.start : chunk.end] for chunk in found.chunks]
