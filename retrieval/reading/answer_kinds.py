"""What kind of thing a question asks for, and whether a sentence has one to offer.

Words tell, in English and in Chinese: "when" and "哪年" want a time, "how many" and "多少" a
number. A sentence offers one only if the question hasn't said it already.
"""

import re
from enum import StrEnum


class Kind(StrEnum):
    """What an answer is."""

    TIME = "time"
    NUMBER = "number"
    REASON = "reason"
    PLACE = "place"
    NAME = "name"
    OTHER = "other"


_DIGITS = "零〇一二两三四五六七八九十百千万亿几半"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕"
    "丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严"
    "覃武"
)


def _what(things: str) -> str:
    """A pattern of "what year" and the like."""
    return rf"\b(?:what|which|whose)\s+(?:\w+\s+)?(?:{things})\b"


# The first that matches a question decides.
_ASKED: dict[Kind, re.Pattern[str]] = {
    kind: re.compile("|".join(patterns), re.IGNORECASE)
    for kind, patterns in {
        Kind.TIME: (
            r"\bwhen\b|\bhow long ago\b",
            _what("year|date|month|day|century|decade|time|era|period"),
            "什么时候|何时|何年|哪一?[年天]|几[月号点]|时间|年份|日期|什么年|多久|世纪",
        ),
        Kind.NUMBER: (
            r"\bhow (?:many|much|long|far|old|tall|big|large|high|deep|wide|fast|often|heavy)\b",
            r"\bpercent|\bproportion\b",
            _what(
                "number|amount|percentage|population|price|cost|age|size|temperature|rate|salary"
            ),
            "多少|几[个种次名位]?|百分之|比例|率|多[高长大远重]|面积|人口|数量|票房|价格|金额",
        ),
        Kind.REASON: (
            r"\bwhy\b|\bwhat (?:caused|causes|reason)|\breason\b|\bpurpose\b",
            "为什么|为何|原因|何以|缘何|因何",
        ),
        Kind.PLACE: (
            r"\bwhere\b",
            _what("city|country|state|region|place|county|continent|location|area|town|province"),
            "哪里|哪儿|何处|何地|什么地方|哪[国省市县区]|位于|在哪",
            "哪个(?:国家|城市|省|县|地区|地方|市|区)",
        ),
        Kind.NAME: (
            r"\bwho(?:se|m)?\b|\bnamed?\b",
            _what("person|man|woman|author|king|queen|president|singer|actor|artist|scientist"),
            _what("company|team|group|band|organi[sz]ation|university|school"),
            "谁|哪位|何人|什么人|哪个人|哪些人|姓名|叫什么|名字",
        ),
    }.items()
}

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBER_WORD = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty"
    "|seventy|eighty|ninety|hundred|thousand|million|billion|half|third|quarter|dozen|once|twice"
)
_OFFERED: dict[Kind, re.Pattern[str]] = {
    kind: re.compile("|".join(patterns))
    for kind, patterns in {
        Kind.TIME: (
            rf"\b(?:1\d{{3}}|20\d{{2}})s?\b|\b(?:{_MONTH})\b|\b\d{{1,4}} ?(?:BCE?|AD|CE)\b",
            r"\b\d\d?(?:st|nd|rd|th)[- ]century|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b",
            rf"[\d{_DIGITS}] ?[年月日号]|世纪|年代|朝|期间|时期|[初末]年|古代",
        ),
        Kind.NUMBER: (rf"[\d{_DIGITS}]", rf"(?i:\b(?:{_NUMBER_WORD})\b)"),
        Kind.REASON: (
            r"(?i:\b(?:because|due to|since|so that|in order to|as a result|caused?|reason)\b)",
            r"(?i:\b(?:therefore|thus|leads?|led|resulted|to \w+)\b)",
            "因为|由于|因此|所以|因而|为了|以便|导致|鉴于|原因|缘故|使得|从而|[故因]",
        ),
        Kind.PLACE: (
            r"\b(?:in|at|near|from|to|of|on) (?:the )?[A-Z]\w+|位于|坐落|地处",
            "[省市县区镇乡村州国岛山河湖海路街港站院校馆寺]",
        ),
        Kind.NAME: (
            # Not the first word of a sentence, which has a capital for being that.
            r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+",
            r"(?<=[\u4e00-\u9fff《「“])[A-Za-z][\w-]+|·|先生|女士|博士|教授",
            rf"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}",
        ),
    }.items()
}


def asked_for(question: str) -> Kind:
    """The kind of thing that a question asks for."""
    found = (kind for kind, pattern in _ASKED.items() if pattern.search(question))
    return next(found, Kind.OTHER)


def offers(sentence: str, kind: Kind, question: str) -> bool:
    """Whether a sentence has a thing of this kind that the question hasn't."""
    pattern = _OFFERED.get(kind)
    if pattern is None:
        return False
    said = question.casefold()
    return any(found[0].casefold() not in said for found in pattern.finditer(sentence))
