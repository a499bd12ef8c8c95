"""Identity numbers in texts: what is one, what only looks like one, what is left of a text."""

from __future__ import annotations

import datetime as dt

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
    texts_with_identity_numbers,
)

NUMBER = resident_id(7)
WITH_X = next(number for number in map(resident_id, range(1000)) if number.endswith("X"))
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
    "beside one that is none": (f"{NUMBER[:-1]}?{NUMBER}", f"{NUMBER[:-1]}?{MASK}"),
    "over lines": (f"甲\n{NUMBER}\n乙", f"甲\n{MASK}\n乙"),
    "in json": (f'{{"id": "{NUMBER}"}}', f'{{"id": "{MASK}"}}'),
    "Taiwan resident": ("830000199201300022", MASK),
}
FREE = {
    "wrong check digit": NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2"),
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
    "split": f"{NUMBER[:6]} {NUMBER[6:]}",
}


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


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text("0123456789０９Xx 号", max_size=24),
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
