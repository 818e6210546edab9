from ingest.parsers.pdf_characters import canonical_run


def test_every_character_keeps_its_number() -> None:
    raw = "..a  ﬁ\u00ade\u0301\ud840\udc00 "
    letters, sources = canonical_run(raw, 2, len(raw))
    assert letters == "a fié\U00020000"
    assert sources == [2, 3, 5, 5, 7, 9]


def test_lone_surrogates_and_controls_do_not_survive() -> None:
    assert canonical_run("a\ud840b\x03c", 0, 5) == ("a\ufffdbc", [0, 1, 2, 4])
