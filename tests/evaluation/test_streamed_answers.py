import httpx
import pytest

from evaluation.errors import LoadError
from evaluation.streamed_answers import Streamed, quoting, streamed

DONE = (
    b'event: done\ndata: {"timings": {"search": 0.01, "generate": 0.5, "first_token": 0.2, '
    b'"verify": 0.03, "total": 0.52}, "statements": [1, 2, 3]}\n\n'
)
PLACE = "http://server/kb/bench"


def asked(content: bytes, status: int = 200) -> Streamed | None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    with httpx.Client(transport=transport) as client:
        return streamed(client, PLACE, "Why?", "tiny")


def test_what_an_answer_took() -> None:
    found = asked(b'event: token\ndata: {"text": "It"}\n\n' + DONE)
    assert found is not None
    assert (found.model, found.verifying, found.sentences) == (0.2, 0.03, 3)
    assert found.retrieval == pytest.approx(0.02)
    assert found.added == pytest.approx(found.first - 0.22)
    assert found.a_sentence == pytest.approx(0.01)


def test_an_abstention_has_no_model_in_it() -> None:
    assert asked(b'event: done\ndata: {"timings": {"total": 0.1}, "statements": []}\n\n') is None


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b'event: error\ndata: {"detail": "gone"}\n\n', 200, "breaks off"),
        (b'event: token\ndata: {"text": "It"}\n\n', 200, "before its last event"),
        (b"no", 404, "doesn't answer"),
    ],
)
def test_what_is_no_answer(content: bytes, status: int, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        asked(content, status)


def test_a_stand_in_says_the_passages_again_with_their_marks() -> None:
    prompt = (
        "Sources:\n\n<source 1: A, page 2>\nThe pump is covered. It lasts two years. A third one."
        "\n</source 1>\n\n<source 2: B>\n保修期为二十四个月，从购买之日算起。\n</source 2>\n\n"
        "Question: x?"
    )
    assert quoting(prompt) == (
        "The pump is covered. [1] It lasts two years. [1] 保修期为二十四个月，从购买之日算起。 [2]"
    )
    assert quoting("nothing") == ""
