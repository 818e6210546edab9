import pytest

from retrieval.reading.answer_kinds import Kind, asked_for, offers


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did the crisis begin?", Kind.TIME),
        ("In what year was it built?", Kind.TIME),
        ("这座桥是哪一年建成的？", Kind.TIME),
        ("How many teams took part?", Kind.NUMBER),
        ("What percentage of the water is lost?", Kind.NUMBER),
        ("中国有多少个民族？", Kind.NUMBER),
        ("Why did the king leave?", Kind.REASON),
        ("他为什么离开？", Kind.REASON),
        ("Which city hosted the games?", Kind.PLACE),
        ("总部位于哪里？", Kind.PLACE),
        ("Who wrote the letter?", Kind.NAME),
        ("作者是谁？", Kind.NAME),
        ("What is photosynthesis?", Kind.OTHER),
        ("什么是光合作用？", Kind.OTHER),
    ],
)
def test_what_a_question_asks_for(question: str, kind: Kind) -> None:
    assert asked_for(question) is kind


@pytest.mark.parametrize(
    ("sentence", "kind", "question"),
    [
        ("It began in October 1973.", Kind.TIME, "When did it begin?"),
        ("大桥于一九五七年建成。", Kind.TIME, "大桥哪一年建成？"),
        ("Seven teams took part.", Kind.NUMBER, "How many teams took part?"),
        ("He left because of the war.", Kind.REASON, "Why did he leave?"),
        ("They met at the Hague.", Kind.PLACE, "Where did they meet?"),
        ("The letter was written by Ada Lovelace.", Kind.NAME, "Who wrote the letter?"),
        ("总监是李明。", Kind.NAME, "总监是谁？"),
    ],
)
def test_a_sentence_that_offers_it(sentence: str, kind: Kind, question: str) -> None:
    assert offers(sentence, kind, question)


@pytest.mark.parametrize(
    ("sentence", "kind", "question"),
    [
        ("It began after the war.", Kind.TIME, "When did it begin?"),
        ("In 1973 it began again.", Kind.TIME, "When did the crisis of 1973 begin?"),
        ("Several teams took part.", Kind.NUMBER, "How many teams took part?"),
        ("Nobody knows.", Kind.NAME, "Who wrote the letter?"),
        ("It is green.", Kind.OTHER, "What is photosynthesis?"),
    ],
)
def test_a_sentence_that_does_not(sentence: str, kind: Kind, question: str) -> None:
    assert not offers(sentence, kind, question)
