import pytest
from markdown_it import MarkdownIt

from api.places import seen

MARKDOWN = MarkdownIt("commonmark").enable("table").disable("text_join")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("It *is* so.", "It is so."),
        ("1. 1 is", "1 is"),
        ("> - It\n>   is", "Itis"),
        ("# It #", "It"),
        ("`a  b`\\*&lt;", "a  b*<"),
        ("``` is\nIs it?\n```", "Is it?\n"),
        ("    code\n", "code\n"),
        ("| a. b |\n|---|\n| c \\| d | c \\| d |", "a. bc | d"),
    ],
)
def test_each_character_that_is_seen_has_its_place(source: str, shown: str) -> None:
    found = list(seen(source, MARKDOWN.parse(source)))
    assert "".join(one.token.content for one in found) == shown
    for one in found:
        assert len(one.places) == len(one.token.content)
        if one.token.type != "text_special":
            assert "".join(source[at] for at in one.places).strip() == one.token.content.strip()
        assert all(one.block.start <= at < one.block.stop for at in one.places)


def test_a_number_before_an_item_is_not_taken_for_its_words() -> None:
    (one,) = seen("1. 1. 1", MARKDOWN.parse("1. 1. 1"))
    assert list(one.places) == [6]


def test_a_cell_without_a_column_is_not_taken_for_one_that_has_it() -> None:
    source = "| a |\n|---|\n| so | so |"
    *_, one = seen(source, MARKDOWN.parse(source))
    assert list(one.places) == [14, 15]


def test_an_entity_stands_where_it_is_written() -> None:
    one, special = seen("a&eacute;", MARKDOWN.parse("a&eacute;"))
    assert (list(one.places), list(special.places)) == ([0], [8])


def test_what_does_not_fit_has_its_block_alone() -> None:
    (one,) = seen("It was\n\nso", MARKDOWN.parse("It is"))
    assert (one.places, one.block) == ([], slice(0, 7))
