"""What the standards say of one value, in plain Python.

On purpose in another way than in columns (`threegaps.standards.identifiers`): Great Expectations certifies with it.
"""

from __future__ import annotations

import datetime as dt
import re

_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}")
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")
_RESIDENT_VALUES = {character: value for value, character in enumerate("0123456789X")}
_CREDIT_VALUES = {character: value for value, character in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY")}
_LEVEL_NUMBER = re.compile(
    r"(?P<issuer>[YS])(?P<agency>[0-9]{4})(?P<province>[0-9]{2})(?P<site>[0-9]{6})"
    r"(?P<year>[0-9]{2})(?P<level>[1-5TS])(?P<serial>[0-9]{6})"
)
_QUALIFICATION_NUMBER = re.compile(r"[0-9]{16}")


def given(value: object) -> bool:
    """Whether a cell holds something: not None, NaN or NaT (which differ from themselves)."""
    return value is not None and value == value


def is_scientific(text: str) -> bool:
    """Whether a spreadsheet has written the number in scientific notation."""
    return _SCIENTIFIC.fullmatch(text) is not None


def birth_in(number: str) -> dt.date | None:
    """The day of birth in a valid resident identity number; None where it is not valid.

    GB 11643: seventeen digits with a date of birth, and a check character by ISO 7064 MOD 11-2.
    """
    if not _RESIDENT_ID.fullmatch(number):
        return None
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    total = 0
    for character in number:
        total = total * 2 + _RESIDENT_VALUES[character]
    return born if 1850 <= born.year <= 2100 and total % 11 == 1 else None


def is_credit_code(text: str) -> bool:
    """GB 32100: eighteen characters of the alphabet whose weighted sum by powers of three is a multiple of 31."""
    if len(text) != 18 or not _CREDIT_VALUES.keys() >= set(text):
        return False
    total, weight = _CREDIT_VALUES[text[17]], 1
    for character in text[:17]:
        total += _CREDIT_VALUES[character] * weight
        weight = weight * 3 % 31
    return total % 31 == 0


def fits_certificate_kind(number: str, kind: str) -> bool:
    """Whether a certificate's number has the form of its kind (01 level, 02 qualification); others have none."""
    form = {"01": _LEVEL_NUMBER, "02": _QUALIFICATION_NUMBER}.get(kind)
    return form is None or form.fullmatch(number) is not None


def certificate_part(number: object, kind: object, name: str) -> str | None:
    """A named part of a well-formed level certificate's number; None where there is nothing to judge."""
    match = _LEVEL_NUMBER.fullmatch(number) if kind == "01" and isinstance(number, str) else None
    return match[name] if match else None
