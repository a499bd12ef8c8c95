"""Resident identity numbers (GB 11643) and unified social credit codes (GB 32100), in columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Mask = npt.NDArray[np.bool_]

RESIDENT_CARD = "01"
"""The type of document whose numbers these are."""

RESIDENT_ID_LENGTH = 18
_ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int16)
_ID_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0, 0], dtype=np.int16)
_FIRST_YEAR, _LAST_YEAR = 1850, 2100

_CREDIT_ALPHABET = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28], dtype=np.int16)
_CREDIT_VALUES = np.full(256, -1, dtype=np.int16)
_CREDIT_VALUES[np.frombuffer(_CREDIT_ALPHABET, dtype=np.uint8)] = np.arange(len(_CREDIT_ALPHABET))

SCIENTIFIC = r"^[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}$"
"""A number that a spreadsheet has turned into scientific notation: the last digits are gone."""

_SCIENTIFIC = re.compile(SCIENTIFIC)
_SEVENTEEN_DIGITS = re.compile(r"[0-9]{17}")


@dataclass(frozen=True, slots=True)
class ResidentIds:
    """What a column of identity numbers says, row by row.

    Args:
        is_valid: Whether the number is valid.
        birth: The day of birth as a number, 20250601 for 2025-06-01; 0 where the number is not valid.
        is_male: Whether it says male.
    """

    is_valid: Mask
    birth: npt.NDArray[np.int32]
    is_male: Mask


def _characters(texts: pl.Series, length: int) -> tuple[Mask, npt.NDArray[np.uint8]]:
    """Rows with exactly *length* bytes, and their bytes as a matrix."""
    fits = (texts.str.len_bytes() == length).fill_null(value=False).to_numpy()
    joined: str = texts.filter(pl.Series(fits)).str.join("").item() or ""
    return fits, np.frombuffer(joined.encode("utf-8"), dtype=np.uint8).reshape(-1, length)


def judge_resident_ids(texts: pl.Series) -> ResidentIds:
    """Form, date of birth and check digit (ISO 7064 MOD 11-2) of canonical 18-character numbers."""
    rows = len(texts)
    fits, characters = _characters(texts, RESIDENT_ID_LENGTH)
    digits = characters[:, :17].astype(np.int16) - 48
    fine = ((digits >= 0) & (digits <= 9)).all(axis=1)
    digits[~fine] = 0
    fine &= _ID_CHECK[(digits @ _ID_WEIGHTS) % 11] == characters[:, 17]
    year = digits[:, 6] * 1000 + digits[:, 7] * 100 + digits[:, 8] * 10 + digits[:, 9]
    month = digits[:, 10] * 10 + digits[:, 11]
    day = digits[:, 12] * 10 + digits[:, 13]
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = _DAYS[np.minimum(month, 16)] + ((month == 2) & is_leap)
    fine &= (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= days)
    is_valid = np.zeros(rows, dtype=np.bool_)
    birth = np.zeros(rows, dtype=np.int32)
    is_male = np.zeros(rows, dtype=np.bool_)
    is_valid[fits] = fine
    birth[fits] = np.where(fine, year.astype(np.int32) * 10_000 + month * 100 + day, 0)
    is_male[fits] = fine & (digits[:, 16] % 2 == 1)
    return ResidentIds(is_valid, birth, is_male)


def judge_credit_codes(texts: pl.Series) -> Mask:
    """Whether each code has 18 characters of the code's alphabet and the right check character (mod 31)."""
    fits, characters = _characters(texts, 18)
    values = _CREDIT_VALUES[characters]
    fine = (values >= 0).all(axis=1)
    fine &= (31 - (values[:, :17] @ _CREDIT_WEIGHTS) % 31) % 31 == values[:, 17]
    valid = np.zeros(len(texts), dtype=np.bool_)
    valid[fits] = fine
    return valid


def check_digit(first_seventeen: str) -> str:
    """The eighteenth character of a resident identity number (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * int(weight) for digit, weight in zip(first_seventeen, _ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def canonical_resident_id(text: str) -> tuple[str, str | None]:
    """A resident number in its canonical form, and the name of what was done to it.

    Fifteen digits (in use until 1999) get their century and check digit; a lower-case x becomes X.
    """
    if len(text) == 15 and text.isascii() and text.isdigit():
        longer = f"{text[:6]}19{text[6:]}"
        return longer + check_digit(longer), "resident_id_15_to_18"
    if len(text) == RESIDENT_ID_LENGTH and text[-1] == "x" and _SEVENTEEN_DIGITS.fullmatch(text[:-1]):
        return f"{text[:-1]}X", "resident_id_lower_case_x"
    return text, None


def is_scientific(text: str) -> bool:
    """Whether a spreadsheet has written the number in scientific notation."""
    return _SCIENTIFIC.match(text) is not None
