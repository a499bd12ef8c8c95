"""Identity numbers in texts: what is one, what only looks like one, what is left of a text."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.batch.batches import resident_id
from threegaps.standards.identity_in_text import (
    MASK,
    holds_identity_number,
    mask_texts,
    masked,
    texts_to_mask,
    texts_with_identity_numbers,
)
from threegaps.standards.white_space import WHITE_SPACE

NUMBER = resident_id(7)
WITH_X = next(number for number in map(resident_id, range(1000)) if number.endswith("X"))
OTHER = resident_id(8)
LATER = resident_id(7, "20050512")
SHORT = NUMBER[:6] + NUMBER[8:17]
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")

FOUND = {
    "alone": (NUMBER, MASK),
    "fifteen digits": (SHORT, MASK),
    "x in lower case": (WITH_X.lower(), MASK),
    "full width": (NUMBER.translate(FULL_WIDTH), MASK),
    "full width X": (f"号{WITH_X.translate(FULL_WIDTH)}。", f"号{MASK}。"),
    "half in full width": (NUMBER[:9] + NUMBER[9:].translate(FULL_WIDTH), MASK),
    "in a sentence": (f"学员{NUMBER}已结业", f"学员{MASK}已结业"),
    "after letters": (f"ID{NUMBER}end", f"ID{MASK}end"),
    "two": (f"{NUMBER},{SHORT}", f"{MASK},{MASK}"),
    "beside one that is none": (f"{NUMBER[:-2]}?{NUMBER}", f"{NUMBER[:-2]}?{MASK}"),
    "beside one that is cut off": (f"{NUMBER[:-1]}?{NUMBER}", f"{MASK}?{MASK}"),
    "over lines": (f"甲\n{NUMBER}\n乙", f"甲\n{MASK}\n乙"),
    "in json": (f'{{"id": "{NUMBER}"}}', f'{{"id": "{MASK}"}}'),
    "Taiwan resident": ("830000199201300022", MASK),
    "split": (f"{NUMBER[:6]} {NUMBER[6:]}", MASK),
    "by what its parts mean": (f"号{NUMBER[:6]}-{NUMBER[6:14]}-{NUMBER[14:]}。", f"号{MASK}。"),
    "in fours": (f"{NUMBER[:4]} {NUMBER[4:8]} {NUMBER[8:12]} {NUMBER[12:16]} {NUMBER[16:]}", MASK),
    "digit by digit": (" ".join(NUMBER), MASK),
    "digit by digit, unseen": ("\u200b".join(NUMBER), MASK),
    "before its last character": (f"{WITH_X[:17]} {WITH_X[17]}", MASK),
    "with spaces around its dashes": (f"{NUMBER[:6]} — {NUMBER[6:14]} — {NUMBER[14:]}", MASK),
    "full width with full-width gaps": (f"{NUMBER[:6]}　{NUMBER[6:]}".translate(FULL_WIDTH), MASK),
    "behind other digits": (f"12 {NUMBER[:6]} {NUMBER[6:]} 5", f"12 {MASK} 5"),
    "whose first fifteen digits are a number too": (f"{LATER[:15]} {LATER[15:]}", MASK),
    "fifteen digits by what they mean": (f"{SHORT[:6]} {SHORT[6:12]} {SHORT[12:]}", MASK),
    "fifteen digits in threes": (f"{SHORT[:3]}-{SHORT[3:6]}-{SHORT[6:9]}-{SHORT[9:12]}-{SHORT[12:]}", MASK),
    "fifteen digits with an unseen break": (f"{SHORT[:7]}\ufeff{SHORT[7:]}", MASK),
    "two without a gap": (f"{NUMBER}{NUMBER}", MASK),
    "three without a gap": (f"甲{NUMBER}{OTHER}{NUMBER}乙", f"甲{MASK}乙"),
    "of both lengths without a gap": (f"{SHORT}{NUMBER}{SHORT}", MASK),
    "one with an X and another": (f"{WITH_X}{NUMBER}", MASK),
    "two without a gap, each with gaps": (f"{NUMBER[:6]} {NUMBER[6:]}{OTHER[:6]}-{OTHER[6:]}", MASK),
}
GAPS = [*WHITE_SPACE, *"-‐‑‒–—―−﹣－", "  ", " - ", "\u200b\u200b", "\r\n"]
FREE = {
    "no such day": SHORT[:8] + "0230" + SHORT[12:],
    "no province": "99" + SHORT[2:],
    "within more digits": f"1{NUMBER}",
    "before more digits": f"{SHORT}00",
    "22 characters of a level certificate": "Y000033990019900101007",
    "16 digits of a qualification": "3399001990010100",
    "enrolment": "PX33990019900101",
    "credit code of digits": "913301007200000003",
    "telephone": "057188888888",
    "amount": "330100199001.01",
    "two, the second cut off before its end": f"{NUMBER}{NUMBER[:-2]}",
    "two, the first cut off": f"{NUMBER[1:]}{NUMBER}",
    "split by a letter": f"{NUMBER[:6]}a{NUMBER[6:]}",
    "split by a sign": f"{NUMBER[:6]},{NUMBER[6:]}",
    "split by a full stop": f"{NUMBER[:6]}.{NUMBER[6:]}",
    "far apart": f"{NUMBER[:6]}    {NUMBER[6:]}",
    "fifteen digits of a telephone and a code": f"{SHORT[:4]}-{SHORT[4:12]} {SHORT[12:]}",
    "fifteen digits of an amount and a day": f"{SHORT[:7]} {SHORT[7:]}",
    "the first paper of a day in a county": "330106-250612-001",
    "a bank card in fours": f"6217 {SHORT[:4]} {SHORT[4:8]} {SHORT[8:12]} {SHORT[12:]}",
    "days": "2023-12-31 2024-06-30 2024-12-31",
    "telephones": "0571-88888888 13588888888 13588888889",
}


# What still says who is meant: no reason to refuse a row, and nothing to keep.
LEFT = {
    "without its check character": (NUMBER[:17], MASK),
    "likewise in a sentence": (f"学员{NUMBER[:17]}已结业", f"学员{MASK}已结业"),
    "likewise in full width": (NUMBER[:17].translate(FULL_WIDTH), MASK),
    "likewise by what its parts mean": (f"{NUMBER[:6]}-{NUMBER[6:14]}-{NUMBER[14:17]}", MASK),
    "two, the second cut off": (f"{NUMBER}{NUMBER[:-1]}", MASK),
    "in scientific notation": (f"{NUMBER[0]}.{NUMBER[1:6]}E+17", MASK),
    "with all that a spreadsheet keeps": (f"号{NUMBER[0]}.{NUMBER[1:15]}E+17。", f"号{MASK}。"),
    "in scientific notation, full width": ("３．３９９Ｅ＋１７", MASK),
    "without a sign, in lower case": ("3.3e17", MASK),
    "of fifteen digits": ("3.399E+14", MASK),
    "with a wrong X": (f"{WITH_X[:14]}001X" if WITH_X[14:17] != "001" else f"{WITH_X[:14]}002X", MASK),
    "with a slip in its check digit": (
        f"学员{NUMBER[:-1]}{'1' if NUMBER[-1] != '1' else '2'}已结业",
        f"学员{MASK}已结业",
    ),
    "likewise in groups": (f"{NUMBER[:6]} {NUMBER[6:-1]}{'1' if NUMBER[-1] != '1' else '2'}", MASK),
    "beside a number": (f"{NUMBER} 3.399E+17", f"{MASK} {MASK}"),
}
KEPT = {
    "seventeen digits of no day": f"{NUMBER[:10]}1301{NUMBER[14:17]}",
    "sixteen digits": NUMBER[:16],
    "seventeen digits of other groups": f"{NUMBER[:4]} {NUMBER[4:17]}",
    "within more digits": f"1{NUMBER[:17]}",
    "eighteen digits of no day": f"{NUMBER[:10]}1301{NUMBER[14:]}",
    "another exponent": "3.399E+15",
    "no province": "3.9E+17",
    "no digits behind the point": "3E+17",
    "a small number": "3.399E-17",
    "an amount": "13.399E+17",
    "a longer exponent": "3.399E+170",
}


@pytest.mark.parametrize("case", LEFT)
def test_what_is_left_of_a_number_is_masked_and_refuses_nothing(case: str) -> None:
    text, left = LEFT[case]
    assert not holds_identity_number(text) or MASK in left
    assert masked(text) == left
    assert mask_texts(pl.Series([None, text, "x"])).to_list() == [None, left, "x"]
    if "beside" not in case:
        assert not texts_with_identity_numbers(pl.Series([text])).any()


@pytest.mark.parametrize("case", KEPT)
def test_what_says_nobody_stays(case: str) -> None:
    assert masked(KEPT[case]) == KEPT[case]
    assert not texts_to_mask(pl.Series([KEPT[case]])).any()


@pytest.mark.parametrize("case", FOUND)
def test_numbers_are_found_and_masked(case: str) -> None:
    text, left = FOUND[case]
    assert holds_identity_number(text)
    assert masked(text) == left
    assert mask_texts(pl.Series([None, text, "x"])).to_list() == [None, left, "x"]


@pytest.mark.parametrize("case", FREE)
def test_what_only_looks_like_one_stays(case: str) -> None:
    text = FREE[case]
    assert not holds_identity_number(text)
    assert masked(text) == text
    assert not texts_with_identity_numbers(pl.Series([text])).any()


@pytest.mark.parametrize("gap", GAPS, ids=ascii)
def test_whatever_stands_between_digits(gap: str) -> None:
    text = f"见{NUMBER[:6]}{gap}{NUMBER[6:14]}{gap}{NUMBER[14:]}等"
    assert masked(text) == f"见{MASK}等"
    assert mask_texts(pl.Series([text])).to_list() == [f"见{MASK}等"]


def test_few_numbers_are_found_by_chance() -> None:
    chance = random.Random(20260531)

    def digits(count: int) -> str:
        return f"{chance.randrange(10**count):0{count}d}"

    forms: dict[str, tuple[Callable[[], str], int]] = {
        # Texts of a kind, and how many of 20,000 may be found.
        "a telephone and others": (lambda: f"0571-{digits(8)} 1{digits(10)} {digits(4)}", 4),
        "a day, a time and a count": (lambda: f"2025-{digits(2)}-{digits(2)} {digits(4)} {digits(3)}", 4),
        "an account in fours": (lambda: f"6{digits(3)} {digits(4)} {digits(4)} {digits(4)} {digits(3)}", 4),
        "places": (lambda: f"12{digits(1)}.{digits(6)} {digits(2)}.{digits(6)}", 4),
        "numbers in a list": (lambda: " ".join(digits(chance.randrange(1, 7)) for _ in range(12)), 20),
        "twenty digits": (lambda: digits(20), 0),
        "36 digits": (lambda: digits(36), 0),
        "eighteen digits": (lambda: digits(18), 4),
    }
    for name, (form, allowed) in forms.items():
        texts = pl.Series([form() for _ in range(20_000)])
        assert texts_with_identity_numbers(texts).sum() <= allowed, name


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text("0123456789０９Xx 号-\u200b", max_size=48),
            st.lists(
                st.sampled_from(
                    [
                        *(NUMBER, SHORT, WITH_X, NUMBER[:17], NUMBER[:6], NUMBER[6:], SHORT[:3], "3.3E+17", "E+14"),
                        *("1", "x", " ", "-", "\u200b", "号", "."),
                    ]
                ),
                max_size=8,
            ).map("".join),
            st.builds(
                lambda number, gap, at, behind: number[:at] + gap + number[at:] + behind,
                st.sampled_from([NUMBER, SHORT, WITH_X, NUMBER + SHORT, WITH_X + NUMBER]),
                st.sampled_from(GAPS),
                st.integers(0, 30),
                st.text("0９Xx号 -", max_size=2),
            ),
            st.builds(
                lambda before, number, day, after: before + resident_id(number, f"{day:%Y%m%d}") + after,
                st.text("0１a号 ", max_size=2),
                st.integers(0, 999),
                st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)),
                st.text("0９Xx号 ", max_size=2),
            ),
        ),
        max_size=20,
    )
)
def test_columns_and_texts_agree(texts: list[str | None]) -> None:
    series = pl.Series("texts", texts, dtype=pl.String)
    by_text = [text is not None and holds_identity_number(text) for text in texts]
    assert texts_with_identity_numbers(series).to_list() == by_text
    assert mask_texts(series).to_list() == [None if text is None else masked(text) for text in texts]
    assert not texts_with_identity_numbers(mask_texts(series)).any()
    assert not texts_to_mask(mask_texts(series)).any()
