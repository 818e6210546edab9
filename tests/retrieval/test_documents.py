import pytest

from ingest.pipeline import identify
from retrieval.documents import containing
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound, InvalidRequest
from retrieval.indexing import Indexer
from retrieval.schema import documents
from tests.retrieval.faults import Fault
from tests.retrieval.library import Library, PagedParser

TEXT = "# Zebra 🙂\n\nThe zebra 𠮷 is é.\n\n## 斑马\n\n斑马有条纹。\n"


def test_a_document_comes_back_as_it_was_made(library: Library) -> None:
    made = library.add("a", TEXT, {"year": 2026, "team": ("法务", "sales"), "final": True})
    document = library.engine.documents.get(library.kb, made.document_id)
    assert document.text.strip() == TEXT.strip()
    assert (document.uri, document.version, document.title) == ("a", made.version, "Zebra 🙂")
    assert document.metadata == {"year": 2026, "team": ("法务", "sales"), "final": True}
    headings = [document.text[heading.start : heading.end] for heading in document.headings]
    assert headings == ["Zebra 🙂", "斑马"]
    assert [heading.level for heading in document.headings] == [1, 2]


def test_pages_come_back_in_order_with_their_labels(engine: Engine) -> None:
    library = Library(engine, parser=PagedParser())
    document = library.add("a", "One 🙂.\n\f二𠮷。\n\fThree.").document_id
    stored = engine.documents.get(library.kb, document)
    assert [(page.label, stored.text[page.start : page.end]) for page in stored.pages] == [
        ("i", "One 🙂.\n"),
        ("ii", "二𠮷。\n"),
        ("iii", "Three."),
    ]
    assert engine.documents.summary(library.kb, document).pages == 3
    library.indexer.close()


def test_an_earlier_version_can_still_be_read(library: Library) -> None:
    first = library.add("a", TEXT)
    second = library.add("a", "Something else.")
    get = library.engine.documents.get
    assert get(library.kb, first.document_id).text == "Something else."
    assert "斑马" in get(library.kb, first.document_id, first.version).text
    assert library.engine.documents.live_version(library.kb, first.document_id) == second.version
    blob, name, kind = library.engine.documents.original(
        library.kb, first.document_id, first.version
    )
    assert library.engine.blobs.get(blob) == TEXT.encode()
    assert (name, kind) == ("a.md", "text/markdown")


def test_the_versions_of_a_document_are_told_newest_first(library: Library) -> None:
    first = library.add("a", TEXT)
    second = library.add("a", "Something else.")
    library.add("b", "Another document.")
    reads = library.engine.documents
    told = reads.versions(library.kb, first.document_id)
    assert [(one.version, one.live, one.title) for one in told] == [
        (second.version, True, "a"),
        (first.version, False, "Zebra 🙂"),
    ]
    text = reads.get(library.kb, first.document_id, first.version).text
    assert (told[1].name, told[1].media_type, told[1].warnings) == ("a.md", "text/markdown", ())
    assert (told[1].size, told[1].characters) == (len(TEXT.encode()), len(text))
    library.add("a", TEXT)
    told = reads.versions(library.kb, first.document_id)
    assert [(one.version, one.live) for one in told] == [
        (first.version, True),
        (second.version, False),
    ]


def test_a_version_that_is_only_staged_is_not_told_of(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = library.add("a", TEXT)
    reads, faults = library.engine.documents, library.faults
    monkeypatch.setattr(Indexer, "_take_back", lambda *_: None)  # as where the process dies
    for uri in ("a", "b"):
        faults.fail_at = faults.calls + 2
        with pytest.raises(Fault):
            library.add(uri, "Staged and left.")
    assert [one.version for one in reads.versions(library.kb, live.document_id)] == [live.version]
    with pytest.raises(DocumentNotFound):
        reads.versions(library.kb, identify(library.kb, "b"))


def test_what_is_not_there_is_said_not_to_be(library: Library) -> None:
    document = library.add("a", TEXT).document_id
    other = library.engine.create("other")[0]
    reads = library.engine.documents
    for refused in (
        lambda: reads.get(library.kb, "nobody"),
        lambda: reads.get(other, document),
        lambda: reads.summary(other, document),
        lambda: reads.versions(other, document),
        lambda: reads.original(other, document),
    ):
        with pytest.raises(DocumentNotFound):
            refused()
    with pytest.raises(DocumentNotFound, match="version 'v0'"):
        reads.get(library.kb, document, "v0")
    assert reads.live_version(other, document) is None
    assert reads.metadata(other, document) == {}


def test_a_summary_counts(library: Library) -> None:
    made = library.add("a", TEXT)
    summary = library.engine.documents.summary(library.kb, made.document_id)
    text = library.engine.documents.get(library.kb, made.document_id).text
    assert summary.characters == len(text)
    assert (summary.size, summary.chunks, summary.pages) == (len(TEXT.encode()), 2, 0)
    assert summary.updated_at >= summary.created_at > 0


def test_documents_are_listed_by_uri_a_page_at_a_time(library: Library) -> None:
    for uri in ("b", "文", "a", "c"):
        library.add(uri, f"About {uri}.")
    reads = library.engine.documents
    uris = [summary.uri for summary in reads.list(library.kb, 10)]
    assert uris == ["a", "b", "c", "文"]
    pages = [reads.list(library.kb, 3, offset) for offset in (0, 3, 6)]
    assert [summary.uri for page in pages for summary in page] == uris
    only = documents.c.uri.in_(["a", "文"])
    assert [summary.uri for summary in reads.list(library.kb, 10, where=only)] == ["a", "文"]
    assert (reads.count(library.kb), reads.count(library.kb, only)) == (4, 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("übersicht", ["a"]),
        ("50%", ["a"]),
        ("5%", []),
        ("zebra", ["q_1"]),
        ("Q_", ["q_1"]),
        ("_", ["q_1"]),
        ("/", ["文/斑马"]),
        ("斑马", ["文/斑马"]),
        (".MD", ["a", "q_1", "文/斑马"]),
        ("\\", []),
        ("", ["a", "q_1", "文/斑马"]),
    ],
)
def test_documents_are_found_by_what_they_are_called(
    library: Library, text: str, found: list[str]
) -> None:
    library.add("a", "# Zebras of old\n\nThey had stripes.")
    library.add("a", "# JAHRESÜBERSICHT, 50%\n\nText.")
    library.add("q_1", "# ZEBRAS\n\nText.")
    library.add("文/斑马", "# About it\n\nText.")
    reads, where = library.engine.documents, containing(text)
    assert [summary.uri for summary in reads.list(library.kb, 10, where=where)] == found
    assert reads.count(library.kb, where) == len(found)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("uri", "abc"),
        ("-uri", "cba"),
        ("title", "cab"),
        ("-title", "bac"),
        ("size", "bac"),
        ("-size", "cab"),
        ("created_at", "cba"),
        ("-created_at", "abc"),
        ("updated_at", "bac"),
        ("-updated_at", "cab"),
    ],
)
def test_documents_are_listed_in_the_order_asked_for(
    library: Library, sort: str, expected: str
) -> None:
    library.add("c", "A first version.")
    library.add("b", "# Émile\n\n")
    library.add("a", "# beta\n\nSome.")
    library.add("c", "# ALPHA\n\nThe longest of all.")
    found = library.engine.documents.list(library.kb, 10, sort=sort)
    assert "".join(summary.uri for summary in found) == expected


@pytest.mark.parametrize("sort", ["size", "-size", "title", "-title"])
def test_what_is_equal_has_one_order_from_page_to_page(library: Library, sort: str) -> None:
    for uri in "abcdef":
        library.add(uri, "# Same\n\nText.")
    reads = library.engine.documents
    pages = [reads.list(library.kb, 1, offset, sort=sort)[0].id for offset in range(6)]
    assert pages == sorted(pages)


@pytest.mark.parametrize("sort", ["", "-", "--uri", "uri-", "text", "uri desc"])
def test_an_order_that_there_is_not_is_refused(library: Library, sort: str) -> None:
    with pytest.raises(InvalidRequest, match="`updated_at`"):
        library.engine.documents.list(library.kb, 10, sort=sort)


def test_equal_bytes_are_known_by_their_digest(library: Library) -> None:
    document = library.add("a", TEXT).document_id
    blob, _, _ = library.engine.documents.original(library.kb, document)
    reads = library.engine.documents
    assert reads.live_with_blob(library.kb, blob) == document
    assert reads.live_with_blob(library.engine.create("other")[0], blob) is None
    library.add("a", "Something else.")
    assert reads.live_with_blob(library.kb, blob) is None
