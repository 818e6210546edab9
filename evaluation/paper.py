"""PDFs of made-up prose, of as many pages as one likes, and the same for the same number."""

import random
from collections.abc import Iterator

_WORDS = (
    "river archive signal harbour ledger copper meadow lantern market orbit paper quarry record "
    "station tariff valley winter yield border canal deposit engine factor granite index journal"
).split()
_LINES, _WORDS_A_LINE = 44, 11
_TOP, _LEFT, _LEADING = 780, 60, 16


def paper(number: int, pages: int) -> bytes:
    """A PDF whose words depend on its number."""
    chance = random.Random(number)  # noqa: S311
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for _ in range(pages):
        content = "\n".join(_page(chance, number))
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects) + 2} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {pages} >>"
    return _written(objects)


def _page(chance: random.Random, number: int) -> Iterator[str]:
    yield f"BT /F1 11 Tf {_LEADING} TL {_LEFT} {_TOP} Td"
    for _ in range(_LINES):
        words = chance.choices(_WORDS, k=_WORDS_A_LINE)
        yield f"({words[0].capitalize()} {number} {' '.join(words[1:])}.) Tj T*"
    yield "ET"


def _written(objects: list[str]) -> bytes:
    parts = ["%PDF-1.4\n"]
    places: list[int] = []
    for number, body in enumerate(objects, start=1):
        places.append(sum(map(len, parts)) if number == 1 else places[-1] + len(parts[-1]))
        parts.append(f"{number} 0 obj\n{body}\nendobj\n")
    start = places[-1] + len(parts[-1])
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(objects) + 1
    parts.append(f"xref\n0 {count}\n0000000000 65535 f \n{table}")
    parts.append(f"trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n")
    return "".join(parts).encode("ascii")
