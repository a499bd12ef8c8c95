"""Resident identity numbers that stand in texts where none is asked for: found, and masked.

A number counts when it is valid by itself: 18 characters by GB 11643 or 15 digits as issued until 1999, an address code
of a province (GB/T 2260), a day of birth, the check character where there is one; full-width digits are digits. Up to
three spaces, dashes or characters that show nothing may stand between two of its digits; of 15 digits, which have no
check character, the groups must be such as people make of them, and the birth one that is no day of this century in six
digits. Numbers that follow each other without a gap are found too.

They are looked for between characters that are no digits, so that a certificate's 16 or 22 digits hold none by chance;
births are taken from 1900 to 2099. Of other runs of 18 digits one in 47,000 fits by chance (fewer of credit codes,
which begin with no province's code), of 15 digits one in 85: where a column has such codes, its contract says so.

What is kept of a row is masked more widely than a row is refused for: seventeen digits that lack the check character,
by themselves or behind a number, eighteen with a slip in the check character, and what a spreadsheet leaves of a
number, 3.30106E+17, still say who is meant. One in 4,400 runs of 17 digits or of 18 looks so by chance: that is no
reason to refuse a row, and one to keep such digits nowhere.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from threegaps.standards.by_value import birth_in
from threegaps.standards.white_space import WHITE_SPACE, WHITE_SPACE_CLASS

if TYPE_CHECKING:
    import polars as pl

MASK = "***"
"""What stands for a number in whatever is kept."""

_PROVINCES = ("1[1-5]", "2[1-3]", "3[1-7]", "4[1-6]", "5[0-4]", "6[1-5]", "71", "8[1-3]")
_MONTHS, _DAYS = ("0[1-9]", "1[0-2]"), ("0[1-9]", "[12][0-9]", "3[01]")
_DIGIT = ("[0-9]",)
# The forms of both lengths, each part by what may stand for it.
_LONG_PARTS = (_PROVINCES, *[_DIGIT] * 4, ("19", "20"), *[_DIGIT] * 2, _MONTHS, _DAYS, *[_DIGIT] * 3, ("[0-9Xx]",))
_SHORT_PARTS = (_PROVINCES, *[_DIGIT] * 6, _MONTHS, _DAYS, *[_DIGIT] * 3)
_SIGN = re.compile(r"\[[^]]+]|[0-9]")


def _form(parts: Sequence[Sequence[str]], gap: str = "") -> str:
    """A regular expression of *parts* in order, with *gap* between all of their signs."""
    return gap.join(f"(?:{'|'.join(gap.join(_SIGN.findall(signs)) for signs in part)})" for part in parts)


_CUT_PARTS = _LONG_PARTS[:-1]
_IS_LONG, _IS_SHORT = re.compile(_form(_LONG_PARTS)), re.compile(_form(_SHORT_PARTS))
_IS_CUT = re.compile(_form(_CUT_PARTS))
_FULL_WIDTH = "０１２３４５６７８９Ｘｘ"
_FOLDED = "0123456789Xx"
_FOLDING = str.maketrans(_FULL_WIDTH, _FOLDED)

_GAP = f"[{WHITE_SPACE_CLASS}\\-֊־᐀᠆‐-―⁃−⸺⸻〜〰゠﹘﹣－]"
_RUN = re.compile(f"[0-9](?:{_GAP}{{0,3}}[0-9Xx]){{14,}}")
_UNSEEN = frozenset(sign for sign in WHITE_SPACE if unicodedata.category(sign) == "Cf")
_GROUPS_OF_SHORT = frozenset({(6, 6, 3), (6, 2, 2, 2, 3)})
"""Groups of fifteen digits by what they mean."""
_GROUPS_OF_SHORT_ALONE = frozenset({(6, 9), (12, 3), (3,) * 5, (4, 4, 4, 3), (5,) * 3, (1,) * 15})
"""Groups that other codes have too, the last digits of a bank card for one: only where no other digits are near."""
_GROUPS_OF_CUT = frozenset({(17,), (6, 11), (14, 3), (6, 8, 3), (6, 4, 4, 3), (6, 4, 2, 2, 3)})
"""Likewise of seventeen, which lack the check character."""
_GROUPS_OF_SLIPPED = frozenset({(18,), (6, 12), (14, 4), (17, 1), (6, 8, 4), (6, 4, 4, 4), (6, 4, 2, 2, 4)})
"""Likewise of eighteen whose check character does not fit."""

_FIRST_YEAR_IN_GROUPS = 30
"""Of 1900: 330106-250612-001 is rather the first paper of a day in a county than somebody who was born in 1925."""

# What a text must have to hold a number, quickly; then its form, as the regular expressions of polars can say it.
_FIFTEEN_DIGITS = f"[0-9０-９](?:{_GAP}{{0,3}}[0-9０-９]){{14}}"
_FORM = f"(?:^|[^0-9])(?:{_form(_LONG_PARTS, f'{_GAP}*')}|{_form(_SHORT_PARTS, f'{_GAP}*')})+(?:[^0-9]|$)"
_CUT_FORM = f"(?:{_form(_LONG_PARTS, f'{_GAP}*')}|{_form(_SHORT_PARTS, f'{_GAP}*')}|{_form(_CUT_PARTS, f'{_GAP}*')})"
_ANY_FORM = f"(?:^|[^0-9]){_CUT_FORM}+(?:[^0-9]|$)"
# A number of 18, 17 or 15 digits in scientific notation; in full width too.
_NOTATION = "[1-8１-８][.．][0-9０-９]+[eEｅＥ][+＋]?[1１][467４６７]"
_IS_NOTATION = re.compile(f"(?<![0-9０-９.．]){_NOTATION}(?![0-9０-９])")
_IS_PROVINCE = re.compile(_form((_PROVINCES,)))


def holds_identity_number(text: str) -> bool:
    """Whether a valid number stands in *text*."""
    return next(_spans(text), None) is not None


def masked(text: str) -> str:
    """*text* with ``***`` for each number, or for several without a gap between them; for what is left of one, too."""
    kept, end = [], 0
    for first, behind in _to_mask(text):
        kept += [text[end:first], MASK]
        end = behind
    return "".join([*kept, text[end:]])


def texts_with_identity_numbers(texts: pl.Series) -> pl.Series:
    """The texts of a column in which a valid number stands."""
    return _found(texts, _with_digits(texts, _FORM), holds_identity_number)


def texts_to_mask(texts: pl.Series) -> pl.Series:
    """The texts of a column in which `mask_texts` masks something."""
    suspects = _with_digits(texts, _ANY_FORM)
    if (texts.str.len_bytes() >= 6).any():
        suspects |= texts.str.contains(_NOTATION).fill_null(value=False)
    return _found(texts, suspects, lambda text: next(_to_mask(text), None) is not None)


def _with_digits(texts: pl.Series, form: str) -> pl.Series:
    """The texts that have digits enough, and in such a form, for a number to stand in them."""
    import polars as pl

    found = pl.repeat(value=False, n=len(texts), dtype=pl.Boolean, eager=True)
    if not (texts.str.len_bytes() >= 15).any():
        return found
    suspects = texts.str.contains(_FIFTEEN_DIGITS).fill_null(value=False).arg_true()
    if not len(suspects):
        return found
    folded = texts.gather(suspects).str.replace_many(list(_FULL_WIDTH), list(_FOLDED))
    suspects = suspects.filter(folded.str.contains(form))
    return found.scatter(suspects, values=True) if len(suspects) else found


def _found(texts: pl.Series, suspects: pl.Series, is_certain: Callable[[str], bool]) -> pl.Series:
    import polars as pl

    certain = [index for index in suspects.arg_true().to_list() if is_certain(texts[index])]
    found = pl.repeat(value=False, n=len(texts), dtype=pl.Boolean, eager=True)
    return found.scatter(certain, values=True) if certain else found


def mask_texts(texts: pl.Series) -> pl.Series:
    """The column with ``***`` for each number, or what is left of one, that stands in its texts; see `masked`."""
    import polars as pl

    indexes = texts_to_mask(texts).arg_true()
    if not len(indexes):
        return texts
    fresh = [masked(text) for text in texts.gather(indexes).to_list()]
    return texts.clone().scatter(indexes, pl.Series(fresh, dtype=pl.String))


def _to_mask(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers stand and what is left of one, in order."""
    found = list(_spans(text))
    text = _without(text, found)
    found += (notations := [match.span() for match in _IS_NOTATION.finditer(text) if _is_left_of_number(match[0])])
    # Only then what lacks its check character: it may be a number's beginning.
    found += _spans(_without(text, notations), (18, 17, 15))
    found += _slipped(_without(text, found))
    yield from sorted(found)


def _slipped(text: str) -> Iterator[tuple[int, int]]:
    """Where eighteen signs stand by themselves that are a number but for the check character."""
    for run in _RUN.finditer(text.translate(_FOLDING)):
        places = [run.start() + place for place, sign in enumerate(run[0]) if sign in _FOLDED]
        signs = "".join(sign for sign in run[0] if sign in _FOLDED)
        for start in range(len(signs) - 17):
            here = places[start : start + 18]
            number = signs[start : start + 18]
            parted = (start == 0 or here[0] - places[start - 1] > 1) and (
                start + 18 == len(signs) or places[start + 18] - here[-1] > 1
            )
            if (
                parted
                and _IS_LONG.fullmatch(number) is not None
                and birth_in(f"{number[:17]}{_check_character(number[:17])}") is not None
                and _groups(text, here) in _GROUPS_OF_SLIPPED
            ):
                yield here[0], here[-1] + 1


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """*text* with signs in these places that belong to no number."""
    for first, behind in spans:
        text = f"{text[:first]}{'?' * (behind - first)}{text[behind:]}"
    return text


def _is_left_of_number(notation: str) -> bool:
    """Whether a number in scientific notation begins as an identity number does, as far as it still says."""
    digits = unicodedata.normalize("NFKC", notation).lower().partition("e")[0].replace(".", "")
    return _IS_PROVINCE.match(digits) is not None


def _spans(text: str, lengths: Sequence[int] = (18, 15)) -> Iterator[tuple[int, int]]:
    """Where numbers stand, each from its first character to the one behind its last.

    Args:
        lengths: How many signs they have, in the order in which they are looked for; 17 lack the check character.
    """
    folded = text if text.isascii() else text.translate(_FOLDING)
    for run in _RUN.finditer(folded):
        places = [place for place in range(*run.span()) if folded[place] in _FOLDED]
        signs = "".join(folded[place] for place in places)
        start = 0
        while start + 15 <= len(signs):
            follows_digit = start > 0 and places[start] - places[start - 1] == 1 and signs[start - 1].isdigit()
            end = None if follows_digit else _end_of_numbers(folded, signs, places, start, lengths)
            if end is None:
                start += 1
            else:
                yield places[start], places[end - 1] + 1
                start = end


def _end_of_numbers(text: str, signs: str, places: Sequence[int], start: int, lengths: Sequence[int]) -> int | None:
    """The sign behind the numbers that begin with the one at *start*, one directly upon the other; None if none do."""
    begins, seen = [start], set()
    while begins:
        first = begins.pop()
        for length in lengths:
            end = first + length
            if end in seen or end > len(signs):
                continue
            is_alone = end - first == len(signs)
            if _is_valid(text, signs[first:end], places[first:end], is_alone=is_alone):
                if end == len(signs) or places[end] - places[end - 1] > 1:
                    return end
                if not signs[end].isdigit():
                    if length == 17:  # an X behind it is the wrong check character, as a wrong digit would be
                        continue
                    return end
                seen.add(end)
                begins.append(end)
    return None


def _is_valid(text: str, number: str, places: Sequence[int], *, is_alone: bool) -> bool:
    if len(number) == 18:
        return _IS_LONG.fullmatch(number) is not None and birth_in(number.upper()) is not None
    if len(number) == 17:
        is_cut = _IS_CUT.fullmatch(number) is not None and _groups(text, places) in _GROUPS_OF_CUT
        return is_cut and birth_in(f"{number}{_check_character(number)}") is not None
    if not _IS_SHORT.fullmatch(number):
        return False
    try:
        dt.date(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))
    except ValueError:
        return False
    groups = _groups(text, places)
    if len(groups) == 1:
        return True
    allowed = _GROUPS_OF_SHORT | _GROUPS_OF_SHORT_ALONE if is_alone else _GROUPS_OF_SHORT
    return int(number[6:8]) >= _FIRST_YEAR_IN_GROUPS and groups in allowed


def _check_character(seventeen: str) -> str:
    """The character with which the number would be valid, were its day one."""
    return "10X98765432"[sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(seventeen)) % 11]


def _groups(text: str, places: Sequence[int]) -> tuple[int, ...]:
    """How many digits stand side by side, group by group; what shows nothing parts none."""
    sizes = [1]
    for before, place in pairwise(places):
        if _UNSEEN.issuperset(text[before + 1 : place]):
            sizes[-1] += 1
        else:
            sizes.append(1)
    return tuple(sizes)
