import math
from typing import Any

import pytest

from api.wire.durations import keep_alive
from api.wire.refusals import Refusal


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (300, 300),
        (5.5, 5.5),
        (0, 0),
        (-1, math.inf),
        (1e300, math.inf),
        ("0", 0),
        ("5m", 300),
        ("+90s", 90),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("250ms", 0.25),
        ("10µs", 1e-5),
        ("-1m", math.inf),
    ],
)
def test_lengths(value: Any, seconds: float) -> None:
    assert keep_alive(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("abc", 'time: invalid duration "abc"'),
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        ("5", 'time: missing unit in duration "5"'),
        ("-1", 'time: missing unit in duration "-1"'),
        ("5d", 'time: unknown unit "d" in duration "5d"'),
        ("9999999999h", 'time: invalid duration "9999999999h"'),
        ("1h5", 'time: missing unit in duration "1h5"'),
        (True, "Unsupported type: 'bool'"),
        ({}, "Unsupported type: 'map[string]interface {}'"),
    ],
)
def test_nonsense(value: Any, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        keep_alive(value)
    assert (caught.value.status, caught.value.text) == (400, text)
