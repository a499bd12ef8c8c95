"""White space is the same wherever it is looked for."""

from __future__ import annotations

import re
import unicodedata

import polars as pl
import pytest

from tests.unit.batch.batches import HEADER, WAGES, part, plain, wage
from threegaps.batch.decode import TextBlock, decode
from threegaps.batch.normalise import Normaliser
from threegaps.standards.white_space import WHITE_SPACE, WHITE_SPACE_CLASS, is_blank, without_white_space

EVERY = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
# Lines end with these, and so no field can be one.
IN_A_FIELD = [sign for sign in WHITE_SPACE if sign not in "\r\n"]
WIDE = plain(WAGES, encoding="utf-8", compression="none")


def named(signs: list[str]) -> list[object]:
    return [pytest.param(sign, id=f"U+{ord(sign):04X}") for sign in signs]


def test_it_is_what_unicode_python_and_polars_call_white_and_what_shows_nothing() -> None:
    signs = pl.Series(EVERY)
    known_to_polars = signs.filter(signs.str.contains(r"^\s$"))
    assert set(known_to_polars) | {sign for sign in EVERY if sign.isspace()} <= set(WHITE_SPACE)
    assert {unicodedata.category(sign) for sign in WHITE_SPACE} <= {"Zs", "Zl", "Zp", "Cc", "Cf", "Cn"}
    assert len(set(WHITE_SPACE)) == len(WHITE_SPACE)


def test_every_way_to_say_it_is_the_same() -> None:
    signs = pl.Series(EVERY)
    assert set(signs.filter(signs.str.contains(f"^[{WHITE_SPACE_CLASS}]$"))) == set(WHITE_SPACE)
    assert {sign for sign in EVERY if re.fullmatch(f"[{WHITE_SPACE_CLASS}]", sign)} == set(WHITE_SPACE)
    assert set(signs.filter(signs.str.strip_chars(WHITE_SPACE) == "")) == set(WHITE_SPACE)
    assert {sign for sign in EVERY if is_blank(sign)} == set(WHITE_SPACE)
    assert {sign for sign in EVERY if not without_white_space(sign)} == set(WHITE_SPACE)


def read(*lines: str) -> TextBlock:
    (block,) = decode(WIDE, part("".join(f"{line}\n" for line in lines).encode()), 1 << 20)
    return block


@pytest.mark.parametrize("sign", named(IN_A_FIELD))
def test_in_a_line_a_header_a_text_and_a_total(sign: str) -> None:
    header = ",".join(f"{sign}{name[0]}{sign}{name[1:]}{sign}" for name in HEADER.split(","))
    total = f"合{sign}计{sign}" + "," * 14
    blank = ",".join([sign] * 15)
    spaced = wage(2, employer_code=f"{sign}E0 2{sign}")
    # A quote makes that every line is looked at by itself; without one they are parsed at once.
    for line in (wage(1), wage(1, employer_code='"E00000001"')):
        block = read(header, line, blank, spaced, total)
        assert block.structural == {"header": 1, "blank": 1}
        normaliser = Normaliser(WIDE)
        reasons = normaliser.structural(block.frame)
        assert reasons is not None
        assert reasons.to_list() == [None, None, "total"]
        assert normaliser.columns(block.frame.head(2))["employer_code"].text.to_list() == ["E00000001", "E0 2"]
