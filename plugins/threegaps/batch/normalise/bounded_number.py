"""Numbers that are said with a bound: 近700, 64余, 约30, 100人以上."""

from __future__ import annotations

import re

import polars as pl

from threegaps.batch.normalise.numerals import DIGITS, SCALES
from threegaps.batch.normalise.text_columns import Counts, TextColumn, Texts
from threegaps.contracts.options.normalisations import BoundedNumber
from threegaps.standards.white_space import without_white_space

EXACT = "exact"

_BEFORE = {
    "below": ("将近", "接近", "近", "不足", "不到", "不满", "不超过", "不高于", "不多于", "少于", "低于", "小于",
              "至多", "最多", "<=", "≤", "<", "＜"),
    "above": ("超过", "超", "逾", "多于", "高于", "大于", "不少于", "不低于", "不小于", "至少", "最少",
              ">=", "≥", ">", "＞"),
    "about": ("大约", "约为", "约", "大概", "≈", "～", "~"),
}  # fmt: skip
_BEHIND = {
    "below": ("及以下", "以下", "以内", "不到"),
    "above": ("及以上", "以上", "余", "多", "+", "＋"),
    "about": ("左右", "上下", "来"),
}
_BOUND_OF_PREFIX = {word: bound for bound, words in _BEFORE.items() for word in words}
_BOUND_OF_SUFFIX = {word: bound for bound, words in _BEHIND.items() for word in words}


def _either(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_BOUNDED = re.compile(
    rf"(?P<before>{_either(_BOUND_OF_PREFIX)})?(?P<digits>{DIGITS})(?P<inner>余|多|来)?"
    rf"(?P<scale>[{''.join(SCALES)}]*)(?P<behind>{_either(_BOUND_OF_SUFFIX)})?(?P<measure>[^0-9]*?)"
    rf"(?P<last>{_either(_BOUND_OF_SUFFIX)})?"
)


def bounded_number(option: BoundedNumber, texts: Texts, counts: Counts) -> None:
    """Leave the number in its column, and make the column of its bound; two bounds at once are none."""
    column = texts[option.column]
    written = column.texts
    read = {text: read_bound(text) for text in column.values.to_list() if text is not None}
    bounds = {text: bound for text, (_, bound) in read.items() if bound is not None}
    texts[option.bound_column] = TextColumn(
        option.bound_column, written.replace_strict(bounds, default=None, return_dtype=pl.String)
    )
    rows = column.rewrite(lambda text: read[text][0], lambda values: values.is_not_null())
    counts.add("bounded_number", option.column, rows)


def read_bound(text: str) -> tuple[str, str | None]:
    """The text of the number by itself, and its bound; the text as it is, and None, where it is no number."""
    match = _BOUNDED.fullmatch(without_white_space(text))
    if match is None:
        return text, None
    bounds = [_BOUND_OF_PREFIX[match["before"]]] if match["before"] else []
    bounds += [_BOUND_OF_SUFFIX[word] for word in (match["inner"], match["behind"], match["last"]) if word]
    if len(bounds) > 1:
        return text, None
    if not bounds:
        return text, EXACT
    return f"{match['digits']}{match['scale']}{match['measure']}", bounds[0]
