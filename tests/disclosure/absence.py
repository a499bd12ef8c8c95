"""Cells that are missing where a reader sees others like them, so that he knows: nobody is there.

He knows what is left out whatever was counted (months of counties in totals only, parts of the county groups by one
list), since it is never there, and that a total which is hidden has no parts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Cell = dict[str, Any]
Key = tuple[Any, ...]
Part = tuple[str, str]
TOTAL: Part = ("total", "total")


def absent(shown: Mapping[Key, Cell]) -> Iterator[Cell]:
    """The keys of the cells whose absence tells that nobody is in them.

    Args:
        shown: What is served, by indicator, area, type and end of the period, breakdown and value.
    """
    areas: dict[Key, dict[str, str]] = defaultdict(dict)
    parts: dict[Key, set[Part]] = defaultdict(set)
    periods: dict[Key, set[Key]] = defaultdict(set)
    for (code, area, kind, end, *part), cell in shown.items():
        level = cell["area_level"]
        areas[kind, end][area] = level
        parts[code, kind, _alike(area, level)].add((part[0], part[1]))
        periods[code, level].add((kind, end))
    for (code, level), ends in periods.items():
        for kind, end in ends:
            for area in (area for area, found in areas[kind, end].items() if found == level):
                total = shown.get((code, area, kind, end, *TOTAL))
                for part in parts[code, kind, _alike(area, level)]:
                    is_explained = part != TOTAL and total is not None and total["is_suppressed"]
                    if not is_explained and (code, area, kind, end, *part) not in shown:
                        yield {
                            "indicator_code": code,
                            "area_code": area,
                            "period_type": kind,
                            "period_end": end,
                            "breakdown": part[0],
                            "breakdown_value": part[1],
                        }


def _alike(area: str, level: str) -> str:
    """Areas of one level are served alike; of the county groups each by itself."""
    return area if level == "group" else level
