import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.chunking import CutDocument, cut
from ingest.errors import Cancelled
from ingest.parsers import parse
from retrieval.embedding.hashing import HashingBackend
from retrieval.sentences import sentences
from retrieval.types import Chunking, Document
from tests.ingest.cutting import DOCUMENTS, HASHING, assemble, document, spans_of


def pieces(text: str, window: int, *, tokens: int = 0) -> list[str]:
    """The chunks of a text, none repeating anything of another."""
    source = document(text, title="")
    return spans_of(cut(source, Chunking(tokens, overlap=0), window, HASHING), source)


@settings(max_examples=40)
@given(DOCUMENTS, st.integers(32, 80), st.integers(0, 20))
def test_chunks_hold_all_but_white_space_and_headings(
    source: Document, window: int, overlap: int
) -> None:
    chunks = cut(source, Chunking(overlap=overlap), window, HASHING).chunks
    held = {at for chunk in chunks for at in range(chunk.start, chunk.end)}
    of_headings = {at for h in source.headings for at in range(h.start, h.end)}
    missing = set(range(len(source.text))) - held - of_headings
    assert "".join(source.text[at] for at in sorted(missing)).strip() == ""
    for heading in source.headings:
        words = source.text[heading.start : heading.end]
        assert held.issuperset(range(heading.start, heading.end)) or any(
            words in chunk.heading for chunk in chunks
        )


@settings(max_examples=40)
@given(DOCUMENTS, st.integers(32, 80), st.integers(0, 20))
def test_chunks_never_cross_a_heading(source: Document, window: int, overlap: int) -> None:
    for chunk in cut(source, Chunking(overlap=overlap), window, HASHING).chunks:
        for heading in source.headings:
            assert not chunk.start < heading.start < chunk.end
            assert not chunk.start < heading.end < chunk.end


@settings(max_examples=40)
@given(DOCUMENTS, st.integers(32, 80), st.integers(0, 20))
@example(
    document("The " * 30 + "\n\nThe\n1,234.56 U.S. https://a.example/b The The\n\nThe ", title=""),
    32,
    1,
)
def test_what_two_chunks_share_is_whole_sentences_within_the_overlap(
    source: Document, window: int, overlap: int
) -> None:
    chunks = cut(source, Chunking(overlap=overlap), window, HASHING).chunks
    for one, next_one in pairwise(chunks):
        assert one.start < next_one.start
        if next_one.start < one.end:
            shared = source.text[next_one.start : one.end]
            [empty, *counts] = HASHING.count_tokens(
                ["", *(shared[s:e] for s, e in sentences(shared))]
            )
            assert sum(count - empty for count in counts) <= min(overlap, window // 3)


@pytest.mark.parametrize(
    "text",
    [
        "退货需在七天内提出。" * 20,
        "运费由谁承担？" * 20,
        "太好了！" * 40,
        "これは文章です。" * 20,
        "他说：“可以。”" * 20,
    ],
)
def test_chinese_and_japanese_chunks_end_with_a_sentence(text: str) -> None:
    found = pieces(text, window=60)
    assert len(found) > 1
    assert {part[-1] for part in found} == {text[-1]}
    assert "".join(found) == text


def test_chunks_are_at_least_half_full_but_for_the_last() -> None:
    text = " ".join(f"This sentence is number {n}." for n in range(500))
    *counts, last = HASHING.count_tokens(pieces(text, window=202))
    assert min(counts) >= 100
    assert last >= 50


def test_a_chunk_ends_where_a_paragraph_does() -> None:
    paragraphs = [" ".join(f"Line {n} of {m}." for n in range(9)) for m in range(12)]
    text = "\n\n".join(paragraphs)
    found = pieces(text, window=160)
    assert all(piece.split()[-4:-2] == ["Line", "8"] for piece in found)


@pytest.mark.parametrize(
    "script", ["This is sentence {} of a text. ", "这是第{}句话，说的是别的。"]
)
def test_an_edit_changes_only_the_chunks_around_it(script: str) -> None:
    sentences = [script.format(n * 7919 % 1009) for n in range(600)]
    before = pieces("".join(sentences), window=202)
    sentences[100] = script.format("a new number and more words") + script.format("one more")
    after = pieces("".join(sentences), window=202)
    assert len(before) > 30
    assert len(set(after) - set(before)) <= 4


def test_a_chunk_repeats_the_end_of_the_one_before() -> None:
    text = " ".join(f"Sentence {n} is here." for n in range(40))
    source = document(text, title="")
    chunks = cut(source, Chunking(overlap=10), 64, HASHING).chunks
    shared = {source.text[b.start : a.end].count("Sentence") for a, b in pairwise(chunks)}
    assert shared == {2}


def paths(found: CutDocument) -> list[tuple[str, ...]]:
    return [chunk.heading for chunk in found.chunks]


def test_the_path_of_headings_goes_into_the_text_not_into_the_span() -> None:
    source = assemble(
        "Before.", [(1, "Part", "One."), (2, "Detail", "Two."), (1, "End", "3.")], "T"
    )
    found = cut(source, Chunking(), 64, HASHING)
    assert paths(found) == [(), ("Part",), ("Part", "Detail"), ("End",)]
    assert found.texts == (
        "T\nBefore.",
        "T > Part\nOne.",
        "T > Part > Detail\nTwo.",
        "T > End\n3.",
    )


def test_a_heading_with_nothing_under_it_is_a_chunk_of_its_own() -> None:
    source = assemble("", [(1, "Empty", ""), (1, "Parent", " "), (2, "Last", "")], "T")
    found = cut(source, Chunking(), 64, HASHING)
    assert spans_of(found, source) == ["Empty", "Last"]
    assert found.texts == ("T\nEmpty", "T > Parent\nLast")


@pytest.mark.parametrize(
    "source",
    [
        "# A\n\nOne.\n\n  ## B ##\n\nTwo.",
        "A\n===\n\nOne.\n\nB\n---\nTwo.",
        "# A #\nOne.\n## B\nTwo.",
    ],
)
def test_the_signs_of_a_markdown_heading_are_in_no_chunk(source: str) -> None:
    parsed = parse(source.encode(), "a.md")
    made = document(parsed.text, parsed.headings, "A")
    found = cut(made, Chunking(), 64, HASHING)
    assert spans_of(found, made) == ["One.", "Two."]
    assert found.texts == ("A\nOne.", "A > B\nTwo.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A", ["A"]),
        ("A\n---", ["A"]),
        ("# A\n\n- item\n\n--- x\n\n# C#", ["- item\n\n--- x", "C#"]),
        ("#tag\n\n# A\n\n#tag", ["#tag", "#tag"]),
    ],
)
def test_only_the_signs_of_a_heading_are_left_out(text: str, expected: list[str]) -> None:
    parsed = parse(text.encode(), "a.md")
    made = document(parsed.text, parsed.headings, "T")
    assert spans_of(cut(made, Chunking(), 64, HASHING), made) == expected


def test_a_title_that_the_first_heading_repeats_is_said_once() -> None:
    found = cut(assemble("", [(1, "Report", "Text.")], "Report"), Chunking(), 64, HASHING)
    assert found.texts == ("Report\nText.",)


def test_of_a_long_path_the_outer_headings_go_first() -> None:
    sections = [(1, "outer " * 20, ""), (2, "middle", ""), (3, "inner", "Text.")]
    found = cut(assemble("", sections, "T"), Chunking(), 64, HASHING)
    assert found.texts == ("T > middle > inner\nText.",)
    assert [len(path) for path in paths(found)] == [3]


@pytest.mark.parametrize("title", ["word " * 500, "字" * 500])
def test_a_title_longer_than_the_window_leaves_room_for_the_text(title: str) -> None:
    found = cut(assemble("", [(1, title, "Text.")], title), Chunking(), 64, HASHING)
    assert found.texts == ("Text.",)


class Tally(HashingBackend):
    """A tokenizer that adds up the characters it reads."""

    characters = 0

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self.characters += sum(map(len, texts))
        return super().count_tokens(texts)


def test_a_heading_that_is_too_long_is_not_read_again_for_each_section() -> None:
    long = "a b " * 2_500
    source = assemble("", [(1, long, ""), *((2, f"s{n}", "Text.") for n in range(200))], long)
    tally = Tally()
    found = cut(source, Chunking(), 512, tally)
    assert found.texts[7] == "s7\nText."
    assert tally.characters < 2 * len(source.text)


def test_sections_of_one_path_share_what_was_counted() -> None:
    alike, apart = Tally(), Tally()
    name = "An answer to the question above"
    same = [(1, name, "Text.")] * 50
    different = [(1, f"{name[:-2]}{n}", "Text.") for n in range(10, 60)]
    cut(assemble("", same, "T"), Chunking(), 512, alike)
    cut(assemble("", different, "T"), Chunking(), 512, apart)
    assert alike.characters < 0.8 * apart.characters


def test_of_a_heading_that_is_too_long_the_beginning_is_kept() -> None:
    source = assemble("", [(1, "字" * 500, "Text."), (2, "字" * 501, "Text.")], "")
    assert paths(cut(source, Chunking(), 64, HASHING)) == [
        ("字" * 500,),
        ("字" * 500, "字" * 499 + "…"),
    ]


def test_a_path_is_no_deeper_than_any_text_is_divided() -> None:
    source = assemble("", [(n, f"h{n}", "T.") for n in range(1, 100)], "")
    *_, last = paths(cut(source, Chunking(), 64, HASHING))
    assert last == tuple(f"h{n}" for n in range(68, 100))


def test_cutting_ends_where_nobody_wants_it_any_more() -> None:
    asked = 0

    def go_on() -> None:
        nonlocal asked
        asked += 1
        if asked == 5:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        cut(document("word " * 5_000), Chunking(), 64, HASHING, go_on=go_on)
    assert asked == 5


@pytest.mark.parametrize("text", ["", " \n\t\n ", "\u3000"])
def test_white_space_has_no_chunks(text: str) -> None:
    assert cut(document(text), Chunking(), 64, HASHING) == CutDocument((), (), ())


def test_tokens_of_a_chunking_lower_the_window_and_never_raise_it() -> None:
    text = "word " * 500
    for tokens, window, most in ((40, 100, 40), (400, 100, 100), (0, 100, 100)):
        assert max(HASHING.count_tokens(pieces(text, window, tokens=tokens))) <= most


def test_ids_tell_documents_versions_and_generations_apart() -> None:
    def id_of(document_id: str, version: str, generation: str) -> str:
        source = Document(document_id, "u", version, "T", "text/plain", "Text.")
        [chunk] = cut(source, Chunking(), 64, HASHING, generation).chunks
        return chunk.id

    ids = [id_of("d", "v", "g"), id_of("e", "v", "g"), id_of("d", "w", "g"), id_of("d", "v", "h")]
    assert len(set(ids)) == 4
    assert id_of("d", "v", "g") == ids[0]


def test_offsets_count_code_points() -> None:
    text = "𠀀𠀁。🙂🙂! " + unicodedata.normalize("NFD", "Ünïcödé.")
    source = document(text)
    [chunk] = cut(source, Chunking(), 64, HASHING).chunks
    assert (chunk.start, chunk.end) == (0, len(text))
