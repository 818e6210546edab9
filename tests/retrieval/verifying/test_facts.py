import time

import pytest

from retrieval.verifying.facts import denies, differences

EVIDENCE = "In March 1973 the Kestrel, built by Ada Lovelace in Leeds, weighed 12 kg."
CHINESE = "海岚净水器于2019年3月在苏州投产，重12千克，由《海岚日报》报道。"


@pytest.mark.parametrize(
    ("claim", "kinds"),
    [
        ("The Kestrel of 1973 weighed twelve kilograms.", []),
        ("The Kestrel weighed 13 kg.", ["number"]),
        ("The Kestrel weighed 12 g.", ["unit"]),
        ("In March 1974 the Kestrel weighed 12 kg.", ["date"]),
        ("In April 1973 the Kestrel weighed 12 kg.", ["date"]),
        ("The Kestrel weighed 12 kg on Mar 1973.", []),
        ("The Kestrel weighed 12 kg on Apr 1973.", ["date"]),
        ("The Kestrel weighed -12 kg.", ["number"]),
        ("The Kestrel was built by Grace Hopper.", ["name", "name"]),
        ("The Kestrel didn't weigh 12 kg.", ["negation"]),
    ],
)
def test_what_differs(claim: str, kinds: list[str]) -> None:
    assert [one.kind for one in differences(claim, EVIDENCE)] == kinds


@pytest.mark.parametrize(
    ("claim", "kinds"),
    [
        ("海岚净水器重十二千克，2019年3月投产。", []),
        ("海岚净水器重13千克。", ["number"]),
        ("海岚净水器重12克。", ["unit"]),
        ("海岚净水器于2020年投产。", ["date"]),
        ("《苏州日报》报道了海岚净水器。", ["name"]),
        ("海岚净水器没有在苏州投产。", ["negation"]),
    ],
)
def test_what_differs_in_chinese(claim: str, kinds: list[str]) -> None:
    assert [one.kind for one in differences(claim, CHINESE)] == kinds


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("From 1930 to 1930 he led it.", "From 1930 to 1932 he led it."),
        ("On 2 May 2007 he left.", "On 8 May 2007 he left, with 2 others."),
        ("It has 3 doors and 9 rooms.", "It has 9 doors and 3 rooms."),
        ("该站有4个出入口。", "4号线经过该站。该站有5个出入口。"),
    ],
)
def test_a_number_that_belongs_to_something_else(claim: str, evidence: str) -> None:
    assert differences(claim, evidence)
    assert differences(evidence, evidence) == []


def test_a_name_may_stand_around_the_evidence() -> None:
    claim = "So Tidewater raised the limit to 12."
    assert [one.said for one in differences(claim, "The limit is 12.")] == ["Tidewater"]
    assert differences(claim, "The limit is 12.", "Tidewater API") == []


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The classes are unequal.", "The classes are thought unequal, but nobody proved it yet."),
        ("It was hastened by the railway.", "It was no doubt hastened by the railway."),
        ("推官是唐代设置的。", "推官，唐代设置，多掌理司法，不系京职，后期成为雅称。"),
        ("台湾人民应该觉醒。", "两党都没好到哪去，台湾人民应该觉醒。"),
        ("该市没有地铁，但有公交。", "这座城市至今没有修建地铁，也不打算修。"),
        ("戴龙·罗伯斯是运动员。", "戴龙·罗伯斯（，）古巴田径运动员。"),
        ("2008年印度发射了它。", "2006年未成。2008年10月22日，印度发射了它。"),
        ("棕榈蝮喜欢在树上。", "棕榈蝮活动于树木之上。"),
        ("It first flew in 1980.", "It flew in 1980 for the earliest time."),
        ("The shop closes at 5 pm.", "The shop closes at 17:00."),
        ("The tower is 1.5 km tall.", "The tower is 1,500 m tall."),
        ("It took 24 months.", "It took two years."),
        ("See pages 10-20.", "See pages 10 -20."),
    ],
)
def test_other_words_for_the_same(claim: str, evidence: str) -> None:
    assert differences(claim, evidence) == []


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("推官多掌理司法，系京职。", "推官，唐代设置，多掌理司法，不系京职。"),
        ("It is fast, and it leaks.", "It is fast, but it does not leak."),
        ("戴龙·罗夫斯是运动员。", "戴龙·罗伯斯（，）古巴田径运动员。"),
        (
            "Smoking is allowed in the building.",
            "Smoking is not allowed in the building or within ten metres of any entrance.",
        ),
        ("员工可以携带宠物。", "员工不可以携带宠物进入办公楼以及仓库等所有公司管理的场所。"),
        ("The pump is not heated.", "The pump is heated, but the tank is not heated."),
        ("The pump is not heated.", "The pump is heated while the tank has no heater."),
        ("The drug is not approved here.", "The drug is approved here without restrictions."),
        ("Growth of –3 % was seen.", "Growth of 3 % was seen."),
    ],
)
def test_other_words_for_something_else(claim: str, evidence: str) -> None:
    assert differences(claim, evidence)


def test_another_sentence_may_deny_something_else() -> None:
    evidence = "The pump is covered. Batteries are not covered."
    assert differences("The pump is covered.", evidence) == []
    assert [one.kind for one in differences("The pump is not covered.", evidence)] == ["negation"]


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("It is not covered.", True),
        ("It isn\u2019t covered.", True),
        ("It never fails to start.", False),
        ("It is covered.", False),
        ("这不包括电池。", True),
        ("这包括电池。", False),
        ("不仅如此。", False),
        ("差不多一年。", False),
        ("无论如何都可以。", False),
    ],
)
def test_whether_a_text_denies(text: str, denied: bool) -> None:
    assert denies(text) is denied


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The store opened in 1998.", "The store (opened 1998) was renovated in 2004."),
        ("No, theft is not covered.", "Theft is not covered."),
        ("Dogs are not allowed.", "Neither cats nor dogs are allowed."),
        ("Dogs are not allowed.", "Dogs are prohibited."),
        ("It is 100 m² large.", "It is 100 square metres large."),
        ("- Additionally, it has 5 doors.", "It has 5 doors."),
        ("It costs $3bn.", "It costs $3 billion."),
        ("It takes a dozen eggs.", "It takes twelve eggs."),
        ("产量不断增长，未来可期。", "产量持续增长，未来可期。"),
    ],
)
def test_the_same_in_other_words(claim: str, evidence: str) -> None:
    assert differences(claim, evidence) == []


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Take 5 mg.", "Take .5 mg."),
        ("The probe was built by NASA.", "The probe was built by ESA."),
        (
            "Its id is 1234567890123456789012345678901.",
            "Its id is 1234567890123456789012345678902.",
        ),
    ],
)
def test_what_is_nearly_the_same(claim: str, evidence: str) -> None:
    assert differences(claim, evidence)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "9" * 5_000,
            "1," * 3_000,
            "5" + " " * 5_000 + "!",
            "一" + "万" * 1_100,
            "1" + "亿" * 9_000,
        ),
        *("十" * 3_000, "a" * 20_000, "《" * 5_000, "5 mıllıon", "5 MİLLİON", "٣٤ ² Ⅷ ½ ๑๒", "点"),
        "neither " * 2_000,
    ],
    ids=lambda text: ascii(text[:6]),
)
def test_a_stranger_s_text_is_soon_read(text: str) -> None:
    began = time.perf_counter()
    differences(text, text)
    assert time.perf_counter() - began < 10
