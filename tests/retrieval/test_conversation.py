import pytest

from retrieval.conversation import Turn, standalone

BEFORE = (
    Turn("user", "How long is the warranty of the Kestrel?"),
    Turn("assistant", "Two years."),
)
FIRST = BEFORE[0].content


@pytest.mark.parametrize(
    "question",
    [
        "And what about its batteries?",
        "Why?",
        "Does it have lights?",
        "它多少钱？",
        "那电池呢？",
        "And if I sell it?",
        "Who told you that?",
        "What else is in there?",
        "其中包括电池吗？",
        "If it breaks, who pays?",
    ],
)
def test_what_points_back_is_searched_with_what_it_points_to(question: str) -> None:
    assert standalone(question, BEFORE) == f"{FIRST}\n{question}"


@pytest.mark.parametrize(
    "question",
    [
        "Who pays for the return shipping of parcels?",
        "退货运费由谁承担？",
        "Is there a discount for students in the evening?",
        "Which rules that concern visitors changed this year in the laboratory?",
        "What is a pressure relay, and how does it work?",
        "海岚净水器的滤芯怎么更换，多久换它一次？",
    ],
)
def test_another_topic_is_searched_by_itself(question: str) -> None:
    assert standalone(question, BEFORE) == question


def test_what_it_points_to_may_point_back_too() -> None:
    second, third = "And its batteries?", "Why?"
    history: tuple[Turn, ...] = (
        *BEFORE,
        Turn("user", second),
        Turn("assistant", "Six months."),
    )
    assert standalone(third, history) == f"{FIRST}\n{second}\n{third}"
    other = "Who pays for the return shipping of parcels?"
    history = (*history, Turn("user", other), Turn("assistant", "The seller."))
    assert standalone(third, history) == f"{other}\n{third}"


def test_it_does_not_go_back_forever() -> None:
    history = (*BEFORE, *(Turn("user", "Why?") for _ in range(9)))
    assert standalone("Why?", history).count("Why?") == 4


def test_without_a_question_before_there_is_nothing_to_point_to() -> None:
    assert standalone("Why?", ()) == "Why?"
    assert standalone("Why?", (Turn("system", "Be brief."), Turn("user", " "))) == "Why?"
