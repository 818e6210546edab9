import pytest

from evaluation.alignment import Alignment
from evaluation.errors import DatasetError
from evaluation.span_metrics import Span
from ingest.parsers.characters import tidy

GIVEN = "One  line \r\n\r\n\r\n\r\nﬁnd the\u00a0word；二行 \nend\n\n"


@pytest.mark.parametrize(
    "wanted", ["One", "ﬁnd the\u00a0word", "二行", "end", "line \r\n\r\n\r\n\r\nﬁnd"]
)
def test_a_span_leads_to_the_same_words(wanted: str) -> None:
    stored = tidy(GIVEN)
    start = GIVEN.index(wanted)
    placed = Alignment.of("d", GIVEN, stored).place(Span("d", start, start + len(wanted)))
    assert stored[placed.start : placed.end] == tidy(wanted)


def test_white_space_alone_is_nowhere() -> None:
    placed = Alignment.of("d", GIVEN, tidy(GIVEN)).place(Span("d", 9, 15))
    assert (placed.start, placed.end) == (0, 0)


def test_another_text_is_refused() -> None:
    with pytest.raises(DatasetError, match="'d' isn't stored as it was given"):
        Alignment.of("d", "One line", "One lime")
