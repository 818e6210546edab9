"""Documents with facts in them that nothing else says: what a client sends, and asks about.

The facts are about places that share few words: what is looked for is what gets lost or stays, not
how well nearly equal sentences are told apart.
"""

import random
from dataclasses import dataclass

_SENTENCES = (8, 40)  # between two facts: they are in different chunks of most documents
_CODES = "KESTREL HERON LAPWING OSPREY SISKIN TURNSTONE WHIMBREL DUNLIN AVOCET GANNET".split()

_THINGS = (
    ("locker", "code"),
    ("valve", "inspection tag"),
    ("crate", "customs seal"),
    ("bicycle", "frame mark"),
    ("microscope", "asset label"),
    ("lifeboat", "call sign"),
)
_THINGS_ZH = (
    ("储物柜", "密码"),
    ("阀门", "检修牌号"),
    ("货箱", "铅封号"),
    ("显微镜", "资产编号"),
    ("救生艇", "呼号"),
)
_SYLLABLES = (
    "bal cor dun fen gil har jor kel lun mer nor pel quin ros sel tor uld ven wex yar zan".split()
)
_CHARACTERS = "云岭浦港溪松鹤霞岚澜荻蓼汀洲渚峪屿墩堰坞坪垣埠堡碛壑崖峦岑嵩泓淙湄漪潭瀑"
_WRITERS = 1_000  # at the most: no two number a thing alike
_FAR = 48_271  # prime: names of numbers that follow each other are unlike

_FILLING = (
    "The {0} is swept on {1}, before the first shift begins.",
    "Visitors to the {0} sign the book at the desk and wear a badge.",
    "Nobody stores paint or solvents in the {0}, whatever the weather on {1}.",
    "Repairs of the {0} are ordered in writing and paid by the month.",
    "On {1} the {0} closes early, since the heating is serviced then.",
    "The keys of the {0} hang in the porter's lodge until {1}.",
    "Whoever leaves the {0} last turns the lights off and locks the gate.",
)
_PLACES = "boathouse workshop archive greenhouse laboratory warehouse canteen signal-box".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_FILLING_ZH = (
    "{0}每逢{1}打扫一次，早班之前完成。",
    "来访者进入{0}须在前台登记并佩戴胸牌。",
    "{0}内不得存放油漆和溶剂，{1}也不例外。",
    "{0}的维修须书面申请，费用按月结算。",
    "{1}检修暖气，{0}提前关门。",
    "最后离开{0}的人负责关灯锁门。",
)
_PLACES_ZH = "船库 车间 档案室 温室 实验室 仓库 食堂".split()
_DAYS_ZH = "星期一 星期二 星期三 星期四 星期五 星期六 星期日".split()


@dataclass(frozen=True, slots=True)
class Fact:
    """What is asked, the sentence that answers, and the code in it that no other sentence has."""

    question: str
    sentence: str
    value: str


@dataclass(frozen=True, slots=True)
class Writing:
    """A document as it is sent: one fact at its beginning, one at its end."""

    uri: str
    title: str
    text: str
    facts: tuple[Fact, Fact]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a fact is about, through all versions of its document."""

    number: int
    thing: str
    what: str
    chinese: bool

    def told(self, value: str) -> Fact:
        if self.chinese:
            about = f"{_town_zh(self.number)}{self.number}号{self.thing}的{self.what}是"
            return Fact(f"{about}什么？", f"{about}{value}。", value)
        about = f"{self.what} of {self.thing} {self.number} in {_town(self.number)}"
        return Fact(f"What is the {about}?", f"The {about} is {value}.", value)


def _town(number: int) -> str:
    """Of two words that hardly another has."""
    drawn = _digits(number, len(_SYLLABLES), 6)
    words = drawn[:3], drawn[3:]
    return " ".join("".join(_SYLLABLES[at] for at in word).capitalize() for word in words)


def _town_zh(number: int) -> str:
    return "".join(_CHARACTERS[at] for at in _digits(number, len(_CHARACTERS), 4))


def _digits(number: int, base: int, count: int) -> list[int]:
    """Of a number far from those of its neighbours."""
    far = number * _FAR % base**count
    return [far // base**place % base for place in range(count)]


class Writer:
    """Makes documents, the same ones for the same seed; no two writers say the same."""

    def __init__(self, number: int, seed: int) -> None:
        self._number = number
        self._chance = random.Random(f"{seed} writer {number}")  # noqa: S311
        self._things = self._codes = self._documents = 0
        self._subjects: dict[str, tuple[_Subject, _Subject]] = {}

    def new(self) -> Writing:
        """A document that nobody has sent."""
        self._documents += 1
        uri = f"soak/{self._number}/{self._documents}"
        chinese = self._chance.random() < 1 / 3
        subjects = self._subject(chinese), self._subject(chinese)
        self._subjects[uri] = subjects
        return self._written(uri, [one.told(self._code()) for one in subjects])

    def revised(self, known: Writing) -> Writing:
        """Another version of a document: the fact at its end is another, the first one may be."""
        first, last = self._subjects[known.uri]
        kept = known.facts[0] if self._chance.random() < 1 / 2 else first.told(self._code())
        return self._written(known.uri, [kept, last.told(self._code())])

    def _subject(self, chinese: bool) -> _Subject:
        self._things += 1
        thing, what = self._chance.choice(_THINGS_ZH if chinese else _THINGS)
        return _Subject(_WRITERS * self._things + self._number, thing, what, chinese)

    def _code(self) -> str:
        self._codes += 1
        return f"{self._chance.choice(_CODES)}-{self._number}-{self._codes}"

    def _written(self, uri: str, facts: list[Fact]) -> Writing:
        first, last = facts
        chinese = self._subjects[uri][0].chinese
        kinds = (_FILLING_ZH, _PLACES_ZH, _DAYS_ZH) if chinese else (_FILLING, _PLACES, _DAYS)
        filling = [self._filled(*kinds) for _ in range(self._chance.randint(*_SENTENCES))]
        between = ("" if chinese else " ").join(filling)
        title = f"{'登记' if chinese else 'Register'} {uri.removeprefix('soak/')}"
        text = "\n\n".join([first.sentence, between, last.sentence])
        return Writing(uri, title, text, (first, last))

    def _filled(self, sentences: tuple[str, ...], places: list[str], days: list[str]) -> str:
        pick = self._chance.choice
        return pick(sentences).format(pick(places), pick(days))
