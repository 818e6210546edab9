import pytest

from evaluation.statements import statement


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("Who founded Duke?", "Washington Duke", "Washington Duke founded Duke."),
        ("What company agreed to it?", "BSkyB", "BSkyB agreed to it."),
        ("What group killed the Huguenots?", "Catholics", "Catholics killed the Huguenots."),
        ("Who was the last king?", "Louis XVI.", "Louis XVI was the last king."),
        ("What are the sources of law?", "statutes", "Statutes are the sources of law."),
        ("When did the flood begin?", "1421", "It was in 1421 that the flood begin."),
        ("In which year was he born?", "in May", "It was in May that he born."),
        ("Where does the Rhine end?", "the sea", "It was at the sea that the Rhine end."),
        ("How many people live in Fresno?", "a million", "A million people live in Fresno."),
        ("伊维菌素由谁所发现？", "大村智", "伊维菌素由大村智所发现。"),
        ("该线什么时候投入使用呢？", "2001年。", "该线2001年投入使用。"),
        ("他有几个孩子？", "三", "他有三个孩子。"),
    ],
)
def test_a_question_and_its_answer_say_something(question: str, answer: str, said: str) -> None:
    assert statement(question, answer) == said


@pytest.mark.parametrize(
    "question",
    ["Why?", "What do lobates feed on?", "Is it so?", "谁在什么时候发现了它？", "它好吗？", "谁"],
)
def test_of_some_nothing_is_made(question: str) -> None:
    assert statement(question, "an answer") is None
