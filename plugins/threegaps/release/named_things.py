"""Areas and indicators by what people call them: codes, names in either language, parts of names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg

from threegaps.errors import ReleaseError
from threegaps.standards.areas import successors

_MOST_NAMED = 12

# What a place is, at the end of its name: people leave it out.
_KINDS_ZH = ("自治县", "省", "市", "区", "县")
_KINDS_EN = ("province", "autonomous county", "city", "district", "county")

_AREAS = """
select area_code, area_level, name_zh, name_en, parent_code, valid_from, valid_to from marts.dim_area
order by array_position(array['province', 'city', 'county', 'group', 'other'], area_level), sort_order, area_code
"""
_INDICATORS = """
select indicator_code, action_code, measure, name_zh, name_en, unit_zh, method, formula_zh, formula_en,
       source_clause, audience
from marts.dim_indicator order by indicator_code
"""

Row = dict[str, Any]


def areas(connection: psycopg.Connection[Row], text: str = "") -> list[Row]:
    """Areas whose code or name has *text* in it, all without one; a division that is no more leads to what it became.

    Args:
        connection: One whose rows are dictionaries.
        text: A code, a name in Chinese or English, or a part of one, in whatever letters.
    """
    found = connection.execute(_AREAS).fetchall()
    if not text:
        return found
    became = successors(text.strip())
    return [row for row in found if row["area_code"] in became] or _matching(found, text, "area_code", _short_names)


def indicators(connection: psycopg.Connection[Row], text: str = "") -> list[Row]:
    """Indicators whose code, name or action has *text* in it, all without one.

    Args:
        connection: One whose rows are dictionaries.
        text: As of `areas`; several words have to be in the name each.
    """
    found = connection.execute(_INDICATORS).fetchall()
    return _matching(found, text, "indicator_code", _names) if text else found


def area_named(connection: psycopg.Connection[Row], text: str) -> str:
    """The code of the one area that *text* means.

    A code that is no longer in force is left as it is: who asks for its figures is told what it became.

    Raises:
        ReleaseError: It means none, or several.
    """
    if successors(text.strip()):
        return text.strip()
    none = f"There is no area {text!r}."
    return _the_one(areas(connection, text), text, "area_code", _short_names, none=none, command="areas")


def indicator_named(connection: psycopg.Connection[Row], text: str) -> str:
    """The code of the one indicator that *text* means.

    Raises:
        ReleaseError: It means none, or several.
    """
    none = f"There is no indicator {text!r}."
    return _the_one(indicators(connection, text), text, "indicator_code", _names, none=none, command="catalogue")


def _plain(text: object) -> str:
    return " ".join(str(text or "").casefold().split())


def _names(row: Row) -> set[str]:
    return {_plain(row["name_zh"]), _plain(row["name_en"])}


def _short_names(row: Row) -> set[str]:
    """An area's names, and what is left of them without the kind of place; one character says too little."""
    names = _names(row)
    ends = (*_KINDS_ZH, *(f" {kind}" for kind in _KINDS_EN))
    short = {name.removesuffix(end) for name in names for end in ends}
    return names | {name for name in short if len(name) > 1}


def _matching(rows: Iterable[Row], text: str, key: str, names: Callable[[Row], set[str]]) -> list[Row]:
    asked = _plain(text)
    found = [row for row in rows if _rank(row, asked, key, names) is not None]
    return sorted(found, key=lambda row: _rank(row, asked, key, names) or 0)


def _rank(row: Row, asked: str, key: str, names: Callable[[Row], set[str]]) -> int | None:
    """How well *row* is meant: 0 by its code, 1 by a name, 2 by the beginning of one, 3 by a part; None not at all."""
    code, called = str(row[key]).casefold(), names(row)
    if asked == code:
        return 0
    if asked in called:
        return 1
    if any(name.startswith(asked) for name in (code, *called)):
        return 2
    words = asked.split()
    return 3 if words and any(all(word in name for word in words) for name in (code, *called)) else None


def _the_one(
    found: Sequence[Row], text: str, key: str, names: Callable[[Row], set[str]], *, none: str, command: str
) -> str:
    asked = _plain(text)
    if not found:
        raise ReleaseError(none, advice=f"`threegaps {command}` lists them.")
    best = _rank(found[0], asked, key, names)
    # By its code or its whole name one is meant, though others have the same in theirs.
    closest = [row for row in found if _rank(row, asked, key, names) == best] if best in {0, 1} else found
    if len(closest) == 1:
        return str(closest[0][key])
    listed = "; ".join(f"{row[key]} {row['name_zh']} {row['name_en']}" for row in closest[:_MOST_NAMED])
    raise ReleaseError(
        f"{text!r} may be any of {len(closest)}: {listed}{'; …' if len(closest) > _MOST_NAMED else ''}.",
        advice=f"give the code; `threegaps {command} {text}` lists them all.",
    )
