"""Sentences that say what a question and its answer say together, in words that no passage has.

The word that asks is put aside for the answer: "Who founded Duke?" and "Washington Duke" say
"Washington Duke founded Duke." Questions of which this makes no sentence are left.
"""

import re
from collections.abc import Callable

_VERB = (
    r"(?!(?:is|was|has|does|this|as|its|his|less|across|others|does|used|supposed)\b)"
    r"(?:[a-z]{2,}(?:[^s]s|ed)|wrote|made|took|found|won|led|built|ran|gave|began|became|held|fell"
    r"|brought|taught|sent|drew|met|sold|spoke|grew|kept|left|lost|saw|set|bought|fought)"
)
_NOUN = (
    r"(?!(?:do|does|did|is|are|was|were|has|have|had|can|could|might|may|will|would|should|must)\b)"
    r"[a-z]+"
)
_SUBJECT = re.compile(
    rf"(?:who|what|(?:which|what)\s{_NOUN}(?:\s{_NOUN})??)\s"
    rf"(?P<rest>(?:is|was|are|were)\sthe\s.+|{_VERB}\s.+)\?",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"(?:when|(?:in\s)?(?:what|which)\s(?:year|month|century))\s(?:did|was|were)\s(?P<rest>.+)\?",
    re.IGNORECASE,
)
_WHERE = re.compile(r"where\s(?:is|was|are|were|did|does)\s(?P<rest>.+)\?", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"how many\s(?P<rest>[a-z]+(?:\s[a-z]+)?\s(?:are|were|live|lived|died|work|took)\s.+)\?",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    "谁|哪(?:个|一|两|几)?(?:年|人|国|位|天|里|儿|座|省|市|县|所|家|支|部|种|月)(?:份|家)?"
    "|什么(?:时候|时间|地方|名字|职务|职位|学校|公司|职业)?|何[时地处人]|多少"
    "|几(?=[个年月次名位人岁种座场])"
)
_ENDS = re.compile(r"(?:呢|吗|啊|呀)?[?？]\s*$")
_PLACED = re.compile(r"(?:in|on|at|after|before|since|during|by|near|from)\b", re.IGNORECASE)


def statement(question: str, answer: str) -> str | None:
    """What they say together; None where this isn't known."""
    asked, said = " ".join(question.split()), answer.strip().rstrip(".。")
    makers: tuple[Callable[[str, str], str | None], ...] = (
        *(_of_subject, _of_number, _of_chinese),
        lambda asked, said: _circumstance(_WHEN, "in", asked, said),
        lambda asked, said: _circumstance(_WHERE, "at", asked, said),
    )
    return next((made for maker in makers if (made := maker(asked, said))), None)


def _of_subject(question: str, answer: str) -> str | None:
    found = _SUBJECT.fullmatch(question)
    return f"{_capital(answer)} {found['rest']}." if found else None


def _of_number(question: str, answer: str) -> str | None:
    found = _HOW_MANY.fullmatch(question)
    return f"{_capital(answer)} {found['rest']}." if found else None


def _circumstance(
    asks: re.Pattern[str], preposition: str, question: str, answer: str
) -> str | None:
    found = asks.fullmatch(question)
    if not found:
        return None
    placed = answer if _PLACED.match(answer) else f"{preposition} {answer}"
    return f"It was {placed} that {found['rest']}."


def _of_chinese(question: str, answer: str) -> str | None:
    asking = _CHINESE.findall(question)
    if len(asking) != 1 or not _ENDS.search(question):
        return None
    return _ENDS.sub("。", _CHINESE.sub(lambda _: answer, question))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
