import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wire.go_json import Malformed, loads

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["", " ", "\n\t "]), st.sampled_from(["", " garbage", "{"]))
def test_the_first_value_is_read_and_the_rest_ignored(value: Any, before: str, after: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        after = ""  # it would go on with the number
    assert loads((before + text + after).encode("utf-8", "surrogatepass")) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "EOF"),
        (" \n\t\r", "EOF"),
        ("{bad", "invalid character 'b' looking for beginning of object key string"),
        ('{"a"', "unexpected EOF"),
        ('{"a":', "unexpected EOF"),
        ('{"a":1', "unexpected EOF"),
        ('{"a":1 "b"', "invalid character '\"' after object key:value pair"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,", "unexpected EOF"),
        ("\ufeff{}", "invalid character 'ï' looking for beginning of value"),
        ("nul", "unexpected EOF"),
        ("nuL", "invalid character 'L' in literal null (expecting 'l')"),
        ("NaN", "invalid character 'N' looking for beginning of value"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("[1.x]", "invalid character 'x' after decimal point in numeric literal"),
        ("[1e+x]", "invalid character 'x' in exponent of numeric literal"),
        ('"a\nb"', r"invalid character '\n' in string literal"),
        ('"\x01"', r"invalid character '\x01' in string literal"),
        (r'"\x"', "invalid character 'x' in string escape code"),
        (r'"\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        ("'", r"invalid character '\'' looking for beginning of value"),
        ('"never ends', "unexpected EOF"),
        ("[²", "invalid character 'Â' looking for beginning of value"),
        ("[1٣", "invalid character 'Ù' after array element"),
        ("中", "invalid character 'ä' looking for beginning of value"),
    ],
)
def test_what_is_wrong_is_said_in_go_s_words(body: str, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        loads(body.encode())
    assert str(caught.value) == reason


def test_a_long_body_that_is_wrong_is_not_read_again() -> None:
    with pytest.raises(Malformed, match="line 1 column"):
        loads(b"[" + b"1," * 100_000 + b"]")


@given(st.binary(max_size=60))
def test_nothing_but_malformed_is_ever_raised(body: bytes) -> None:
    try:
        loads(body)
    except Malformed as error:
        assert str(error)


def test_depth_has_a_limit() -> None:
    with pytest.raises(Malformed):
        loads(b"[" * 100_000)
    with pytest.raises(Malformed, match="max depth"):
        loads(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize("digits", ["9223372036854775808", "-9223372036854775809", "9" * 400])
def test_a_number_beyond_64_bits_is_a_float(digits: str) -> None:
    assert loads(digits.encode()) == float(digits)
    assert loads(b"9223372036854775807") == 2**63 - 1


def test_what_is_no_unicode_becomes_the_replacement_character() -> None:
    assert loads(b'"a\xffb"') == "a\ufffdb"
    assert loads(rb'["\ud83d\ude00", "\ud83d!", {"\udead": "\uD800"}]') == [
        "😀",
        "\ufffd!",
        {"\ufffd": "\ufffd"},
    ]
