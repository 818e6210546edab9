"""What the image is made of may be passed on with a program under Apache-2.0."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[1] / "api" / "deploy" / "requirements.lock"
NAMES = re.findall(r"^([a-z0-9][\w.-]*)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
# The lesser GPL and Mozilla's licence bind those who change the library.
REFUSED = re.compile(r"(?<!L)A?GPL|SSPL|BUSL|Affero|Proprietary|Commercial|Non-?commercial")


def _licences(name: str) -> str:
    told = metadata(name)
    classified = [one for one in told.get_all("Classifier") or () if one.startswith("License")]
    said = [*(told.get_all("License-Expression") or ()), *(told.get_all("License") or ())]
    return " ".join([*said, *classified])


@pytest.mark.parametrize("name", NAMES)
def test_its_licence_allows_it(name: str) -> None:
    try:
        licences = _licences(name)
    except PackageNotFoundError:
        pytest.skip("not installed here: an extra")
    assert licences.strip() or (metadata(name).get_all("License-File")), "no licence is told"
    assert not REFUSED.search(licences[:400]), licences[:400]
