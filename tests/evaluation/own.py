"""A small knowledge base of one's own, in two languages, and what is said of it."""

from collections.abc import Callable

from retrieval.feedback import Feedback, Opinion
from retrieval.types import Chunking, KnowledgeBase, KnowledgeBaseSettings
from tests.retrieval.library import Library

TEXTS = {
    "运费 险": "退货产生的运费一律由卖家承担。运费险的理赔时限是七天，逾期不予受理。请拨热线。",
    "warranty": "The warranty of the Kestrel lasts two years. Batteries have half of that.",
    "tea": "The office serves tea at four. Biscuits are kept in the drawer beside the kettle.",
}


def silent(_what: str, _total: int) -> Callable[[int], None]:
    return lambda _done: None


def filled(library: Library) -> KnowledgeBase:
    """The knowledge base of a library, with those texts in it."""
    for uri, text in TEXTS.items():
        library.add(uri, text)
    return library.kb


def said(
    library: Library, question: str, uri: str, quote: str | None = None, *, helpful: bool = True
) -> Feedback:
    """Feedback on a document, or on a quote of it, as it is live."""
    engine = library.engine
    key = engine.documents.named(library.kb, uri)
    start = end = None
    if quote is not None:
        start = engine.documents.get(library.kb, key).text.index(quote)
        end = start + len(quote)
    return engine.feedback.add(library.kb, Opinion(question, key, helpful, None, start, end))


def many(library: Library, documents: int) -> KnowledgeBase:
    """Another knowledge base, whose documents have several chunks of several sentences each."""
    settings = KnowledgeBaseSettings(Chunking(64, 0))
    kb, _ = library.engine.create("many", settings)
    for n in range(documents):
        text = " ".join(
            f"In {1900 + n} animal{n} was seen by river{n} eating fruit{n} of kind{m}."
            for m in range(12)
        )
        library.add(f"d{n}", text, kb=kb)
    return kb
