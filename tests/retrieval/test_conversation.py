import pytest

from retrieval.conversation import Turn, standalone

BEFORE = (
    Turn("user", "How long is the warranty of the Kestrel?"),
    Turn("assistant", "Two years."),
)


@pytest.mark.parametrize(
    "question",
    [
        "And what about its batteries?",
        "Why?",
        "Does it have lights?",
        "它多少钱？",
        "那电池呢？",
        "And if I sell it?",
    ],
)
def test_what_points_back_is_searched_with_what_it_points_to(question: str) -> None:
    assert standalone(question, BEFORE) == f"{BEFORE[0].content}\n{question}"


@pytest.mark.parametrize(
    "question", ["Who pays for the return shipping of parcels?", "退货运费由谁承担？"]
)
def test_a_question_of_its_own_is_left_alone(question: str) -> None:
    assert standalone(question, BEFORE) == question


def test_without_a_question_before_there_is_nothing_to_point_to() -> None:
    assert standalone("Why?", ()) == "Why?"
    assert standalone("Why?", (Turn("system", "Be brief."), Turn("user", " "))) == "Why?"
