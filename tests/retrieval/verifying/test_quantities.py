from decimal import Decimal

import pytest

from retrieval.verifying.numerals import numerals
from retrieval.verifying.quantities import quantities


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234.5 and 12", ["1234.5", "12"]),
        ("１２ of ３，０００", ["12", "3000"]),
        ("twenty-four months, two hundred and fifty-one thousand", ["24", "251000"]),
        ("3.2 million of 5 billion", ["3200000", "5000000000"]),
        ("the first, twenty-first and third", ["21", "3"]),
        ("二十四、十二、三万五千、一百零八", ["24", "12", "35000", "108"]),
        ("1.2亿和3万", ["120000000", "30000"]),
        ("二〇二五年", ["2025"]),
        ("三点一四", ["3.14"]),
        ("version 2.1 of GPT-4", ["2.1", "4"]),
        ("millions of people, one of them, 千万别", []),
        ("", []),
    ],
)
def test_numbers_however_they_are_written(text: str, values: list[str]) -> None:
    found = numerals(text)
    assert [one.value for one in found] == [Decimal(value) for value in values]
    assert all(text[one.start : one.end].strip() for one in found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5 km", "1,500 metres"),
        ("24 months", "two years"),
        ("twelve kilograms", "12 kg"),
        ("12千克", "12 kg"),
        ("百分之五", "5 %"),
        ("five per cent", "5%"),
        ("$12", "12 dollars"),
        ("90 minutes", "1.5 hours"),
        ("3万元", "30,000 yuan"),
        ("2025年3月", "2025年三月"),
        ("1973", "1973年"),
        ("12", "12 kg"),
        ("one year", "12 months"),
        ("一年", "12个月"),
        ("5 pm", "17:00"),
        ("5:30 p.m.", "17:30"),
        ("下午5点", "5 pm"),
        ("晚上8点30分", "20:30"),
        ("at 12 am", "24:00"),
        ("晚上12点", "00:00"),
        ("中午1点", "13:00"),
        ("3点半", "3:30"),
        ("Jan 5, 1990", "5, 1990, January"),
        ("5 Sept 1990", "5 in 1990, September"),
        ("-5 °C", "零下5°C"),
        ("\u22125 °C", "minus 5 degrees Celsius"),
    ],
)
def test_the_same_quantity_in_other_words(one: str, other: str) -> None:
    pairs = zip(quantities(one), quantities(other), strict=True)
    assert all(a.agrees_with(b) and b.agrees_with(a) for a, b in pairs)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 kg", "12 g"),
        ("one year", "two years"),
        ("一年", "两年"),
        ("5 am", "17:00"),
        ("-5 °C", "5 °C"),
        ("5 %", "5 km"),
        ("$12", "€12"),
        ("24 months", "24 years"),
        ("3月", "3日"),
        ("1973", "1974"),
        ("12千克", "12克"),
    ],
)
def test_another_quantity(one: str, other: str) -> None:
    [a], [b] = quantities(one), quantities(other)
    assert not a.agrees_with(b)
    assert not b.agrees_with(a)


def test_a_date_is_told_from_a_number() -> None:
    text = "On 18 March 2025 it weighed 2 kg. 2025年3月18日"
    found = [text[one.start : one.end] for one in quantities(text) if one.is_date]
    assert found == ["2025", "2025年", "3月", "18日", "March"]
