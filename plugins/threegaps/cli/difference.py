"""What two releases say differently, for people: by indicator with its causes first, then figure by figure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from threegaps.cli.output import both, cell, console, plain, print_rows, tell_of_more
from threegaps.labels import VALUE_STATUSES
from threegaps.labels import both as labelled
from threegaps.release.wording import cause_text
from threegaps.translations import say

if TYPE_CHECKING:
    from threegaps.release.history import Comparison, Difference, IndicatorChange

_MOST_COLUMNS = 3

Names = Mapping[str, tuple[str, str]]
"""Chinese and English names by code."""


def difference_page(found: Comparison, *, areas: Names, indicators: Names, limit: int, asked: str) -> None:
    """Print what differs between two releases.

    Args:
        found: What differs.
        areas: Names of areas.
        indicators: Names of indicators.
        limit: How many figures are printed at most.
        asked: Which indicator and area were asked for, in words; empty where all were.
    """
    shown = found.figures[:limit]
    if not found.figures:
        if asked:
            console.print(f"Release {found.first} and release {found.second} say the same of {asked}.")
        else:
            console.print(f"No figure differs between release {found.first} and release {found.second}.")
    else:
        rows = [_indicator_line(one, areas, indicators) for one in found.indicators]
        console.print(
            f"Between release {found.first} and release {found.second} differ: figures {len(found.figures):,}, of"
            f" indicators {len(rows):,}."
        )
        console.print()
        print_rows(rows, title="Indicators")
        console.print()
        print_rows([_figure_line(one, areas, indicators) for one in shown], title="Figures")
        tell_of_more(len(shown), len(found.figures))
    console.print()
    if found.relations:
        print_rows(
            [
                {"relation": one.relation, "new": one.new, "changed": one.changed, "gone": one.gone}
                for one in found.relations
            ],
            title="Rows of all relations, as the list of releases counts them",
        )
    else:
        console.print("No row of any other relation differs either.")
    if found.without_past:
        console.print(
            f"{found.without_past:,} more rows changed then and read alike now: what they said before was taken out"
            " when figures were suppressed."
        )
    elif found.without_past is None:
        console.print("Whether more rows changed in between and read alike now cannot be told over several releases.")


def difference_document(found: Comparison, *, areas: Names, indicators: Names) -> dict[str, Any]:
    """The same for machines, every figure of it."""
    return {
        "first": found.first,
        "second": found.second,
        "indicators": [
            {
                **{name: getattr(one, name) for name in _COUNTS},
                "name_zh": _name(indicators, one.indicator_code)[0],
                "name_en": _name(indicators, one.indicator_code)[1],
                "largest": None if one.largest is None else _figure(one.largest, areas),
                "causes": [
                    {name: plain(getattr(cause, name)) for name in type(cause).__slots__} for cause in one.causes
                ],
            }
            for one in found.indicators
        ],
        "figures": [_figure(one, areas) for one in found.figures],
        "relations": [
            {"relation": one.relation, "new": one.new, "changed": one.changed, "gone": one.gone}
            for one in found.relations
        ],
        "without_past": found.without_past,
    }


_COUNTS = ("indicator_code", "figures", "new", "gone", "value_changed", "hidden", "otherwise")


def _name(names: Names, code: str) -> tuple[str, str]:
    return names.get(code, ("", ""))


def _figure(one: Difference, areas: Names) -> dict[str, Any]:
    zh, en = _name(areas, one.area_code)
    told = {name: getattr(one, name) for name in type(one).__slots__}
    return {**told, "area_name_zh": zh, "area_name_en": en}


def _indicator_line(one: IndicatorChange, areas: Names, indicators: Names) -> dict[str, Any]:
    largest = one.largest
    return {
        "indicator": one.indicator_code,
        "name": both(*_name(indicators, one.indicator_code)),
        "figures": one.figures,
        "new": one.new,
        "gone": one.gone,
        "value_changed": one.value_changed,
        "hidden_or_shown": one.hidden,
        "otherwise": one.otherwise,
        "largest_change": ""
        if largest is None
        else f"{_place(largest, areas)} {_period(largest)}: {_step(largest.value_before, largest.value_after)}",
        "why": "; ".join(say(cause_text(cause)) for cause in one.causes) or say("nothing that is noted reaches it"),
    }


def _figure_line(one: Difference, areas: Names, indicators: Names) -> dict[str, Any]:
    return {
        "indicator": f"{one.indicator_code} {both(*_name(indicators, one.indicator_code))}".rstrip(),
        "area": _place(one, areas),
        "period": _period(one),
        "before": _said(one.value_before, one.value_status_before),
        "after": _said(one.value_after, one.value_status_after),
        "what": _what(one),
    }


def _place(one: Difference, areas: Names) -> str:
    return f"{one.area_code} {both(*_name(areas, one.area_code))}".rstrip()


def _period(one: Difference) -> str:
    part = "" if one.breakdown == "total" else f" {one.breakdown}={one.breakdown_value}"
    return f"{one.period_label}{part}"


def _said(value: Decimal | None, status: str | None) -> str:
    if value is not None:
        return cell(value)
    return "" if status is None else labelled(VALUE_STATUSES, status)


def _step(before: Decimal | None, after: Decimal | None) -> str:
    if before is None or after is None:
        return f"{cell(before)} → {cell(after)}"
    change = after - before
    return f"{cell(before)} → {cell(after)} ({'+' if change > 0 else ''}{cell(change)})"


def _what(one: Difference) -> str:
    """What became of the figure: the columns that differ, unless it is the value that the line shows."""
    if one.kind != "changed":
        return say(one.kind)
    if {"value", "value_status"} & set(one.changed):
        return say("value")
    columns = ", ".join(one.changed[:_MOST_COLUMNS])
    return f"{columns}, …" if len(one.changed) > _MOST_COLUMNS else columns
