import pytest

from ingest import sources
from ingest.errors import TooLarge
from ingest.pipeline import identify
from ingest.types import Source, Stage
from retrieval.engine import Engine
from retrieval.indexing import Published
from retrieval.search import Query
from retrieval.types import KnowledgeBase
from tests.ingest.workshop import Workshop, note


def test_a_source_passes_the_stages_in_order(shop: Workshop) -> None:
    text = "\n\n".join(f"Paragraph {n} says {'many words ' * 20}." for n in range(12))
    ingested = shop.ingest(sources.upload("a.md", f"# 标题\n\n{text}".encode(), None, None))
    total = ingested.chunks
    assert total > 1
    assert [stage for stage, _, _ in dict.fromkeys(shop.steps)][:3] == [
        Stage.PARSING,
        Stage.CHUNKING,
        Stage.EMBEDDING,
    ]
    assert shop.steps[-1] == (Stage.WRITING, total, total)
    embedding = [step[1:] for step in shop.steps if step[0] is Stage.EMBEDDING]
    assert (embedding[0], embedding[-1]) == ((0, total), (total, total))
    assert embedding == sorted(embedding)
    assert (ingested.outcome, ingested.embedded) == (Published.ADDED, total)
    assert shop.found("many")[0] == "a.md"


def test_of_a_title_that_is_too_long_the_beginning_is_kept(shop: Workshop) -> None:
    title = f"Zebra {'a b ' * 500}".strip()
    shop.ingest(sources.upload("a.md", f"# {title}\n\nText.".encode(), None, None))
    kept = shop.engine.documents.summary(shop.kb, identify(shop.kb, "a.md")).title
    assert kept == title[:499] + "…"


def test_what_is_unchanged_costs_nothing(shop: Workshop) -> None:
    source = note("a", "First text. 第一。", "T", {"year": 2026})
    assert shop.cost(source) == (Published.ADDED, 1, 1)
    before = shop.engine.documents.summary(shop.kb, identify(shop.kb, "a"))
    assert shop.cost(source) == (Published.UNCHANGED, 0, 0)
    assert shop.steps == []
    assert shop.engine.documents.summary(shop.kb, before.id) == before


def test_new_metadata_costs_no_parsing_and_no_embedding(shop: Workshop) -> None:
    shop.ingest(note("a", "Text.", meta={"year": 2025, "tags": ("x", "y")}))
    assert shop.cost(note("a", "Text.", meta={"tags": ("x",)})) == (Published.UPDATED, 0, 0)
    document = identify(shop.kb, "a")
    assert shop.engine.documents.metadata(shop.kb, document) == {"tags": ("x",)}
    assert shop.cost(note("a", "Text.", meta={})) == (Published.UPDATED, 0, 0)
    assert shop.engine.documents.metadata(shop.kb, document) == {}


def test_a_flag_is_not_a_number(shop: Workshop) -> None:
    shop.ingest(note("a", "Text.", meta={"draft": 1}))
    assert shop.ingest(note("a", "Text.", meta={"draft": True})).outcome is Published.UPDATED
    assert shop.engine.documents.metadata(shop.kb, identify(shop.kb, "a"))["draft"] is True


@pytest.mark.parametrize("content", ["Text.", "Other text."])
def test_metadata_that_is_not_given_stays(shop: Workshop, content: str) -> None:
    shop.ingest(note("a", "Text.", meta={"year": 2025}))
    shop.ingest(note("a", content))
    assert shop.engine.documents.metadata(shop.kb, identify(shop.kb, "a")) == {"year": 2025}


def test_a_new_version_replaces_the_old_one(shop: Workshop) -> None:
    first = shop.ingest(note("a", "Zebra here."))
    second = shop.ingest(note("a", "Lion here."))
    assert (second.outcome, second.document_id) == (Published.UPDATED, first.document_id)
    assert second.version != first.version
    assert (shop.found("zebra"), shop.found("lion")) == ([], ["a"])
    assert shop.engine.documents.get(shop.kb, first.document_id, first.version).text == (
        "Zebra here."
    )


def test_going_back_to_an_earlier_text_costs_what_a_new_one_does(shop: Workshop) -> None:
    shop.ingest(note("a", "Zebra here."))
    shop.ingest(note("a", "Lion here."))
    assert shop.cost(note("a", "Zebra here.")) == (Published.UPDATED, 1, 1)
    assert (shop.found("zebra"), shop.found("lion")) == (["a"], [])


def test_bytes_that_another_document_has_are_a_duplicate(shop: Workshop) -> None:
    first = shop.ingest(note("a", "Same."))
    assert shop.cost(note("b", "Same.")) == (Published.DUPLICATE, 0, 0)
    assert shop.ingest(note("b", "Same.")).document_id == first.document_id
    assert shop.engine.documents.count(shop.kb) == 1


def test_texts_kept_apart_embed_what_they_share_once(shop: Workshop) -> None:
    sources_ = [note(uri, "Same.", "One title") for uri in "abc"]
    assert [shop.ingest(source, unique=False).embedded for source in sources_] == [1, 0, 0]
    assert shop.backend.embedded == ["One title\nSame."]
    assert sorted(shop.found("same")) == ["a", "b", "c"]


def test_a_given_title_overrules_the_one_in_the_file(shop: Workshop) -> None:
    def title(source: Source) -> str:
        return shop.engine.documents.get(shop.kb, shop.ingest(source).document_id).title

    page = b"<title>Of the file</title><p>Words.</p>"
    assert title(Source("a", "a.html", page)) == "Of the file"
    assert title(Source("a", "a.html", page, title="Given")) == "Given"
    assert title(Source("b", "报告.v2.txt", b"Words.")) == "报告.v2"


def test_a_source_over_the_limit_is_refused_before_it_is_read(shop: Workshop) -> None:
    shop.max_bytes = 1_000
    shop.ingest(note("a", "x" * 1_000))
    with pytest.raises(TooLarge, match=r"b has 1,001 bytes; the limit is 1,000"):
        shop.ingest(note("b", "x" * 1_001))
    assert shop.parser.calls == 1


@pytest.mark.parametrize(
    "content", ["\ufeffBOM \x1b", "\U0010ffff \ufffe", "𠀀" * 240, "e" + "\u0301" * 400]
)
def test_hostile_text_is_found_and_quoted_by_its_span(shop: Workshop, content: str) -> None:
    ingested = shop.ingest(note("a", f"Zebra {content}"))
    text = shop.engine.documents.get(shop.kb, ingested.document_id).text
    hits = shop.engine.searcher.search(shop.kb, Query("zebra", 100)).hits
    assert len(hits) == ingested.chunks > 0
    assert all(hit.text == text[hit.chunk.start : hit.chunk.end] for hit in hits)


@pytest.mark.parametrize("uri", ["", "\n", "../../etc/passwd", "a" * 3_000, "文\U0001f642"])
def test_any_uri_is_an_identity(shop: Workshop, uri: str) -> None:
    shop.ingest(note(uri, "Zebra.", title="T"))
    assert shop.found("zebra") == [uri]


def test_ids_differ_between_knowledge_bases_and_uris(engine: Engine) -> None:
    kbs: list[KnowledgeBase] = [engine.create(name)[0] for name in ("one", "two")]
    ids = {identify(kb, uri) for kb in kbs for uri in ("a", "b", "")}
    assert len(ids) == 6


def test_vectors_that_were_lost_are_made_anew_by_sending_the_document_again(
    shop: Workshop,
) -> None:
    source = note("a", "Zebra.")
    shop.ingest(source)
    with shop.engine.database.write() as connection:
        connection.exec_driver_sql("delete from embeddings")
    assert shop.cost(source) == (Published.UNCHANGED, 1, 1)
    assert shop.cost(source) == (Published.UNCHANGED, 0, 0)
