"""Divisions of Zhejiang: which codes are in force, and what an old code or a functional zone stands for on a date.

The tables and their sources lie in ``reference/``.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PROVINCE = "330000"


@dataclass(frozen=True, slots=True)
class _Former:
    valid_from_year: int
    successors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Zone:
    parents: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date


def _rows(name: str) -> list[dict[str, str]]:
    with files("threegaps.standards").joinpath("reference", name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def codes_in_force(levels: tuple[str, ...] = ("county",)) -> frozenset[str]:
    """Codes in force of the given levels (``county``, ``city``, ``province``)."""
    codes: set[str] = set()
    for row in _rows("counties.csv"):
        if "county" in levels:
            codes.add(row["county_code"])
        if "city" in levels:
            codes.add(row["city_code"])
    if "province" in levels:
        codes.add(PROVINCE)
    return frozenset(codes)


@cache
def _former() -> dict[str, list[_Former]]:
    former: dict[str, list[_Former]] = {}
    for row in _rows("county_code_history.csv"):
        if row["status"] != "in_use":
            successors = tuple(code for code in row["current_successors"].split(";") if code)
            former.setdefault(row["old_code"], []).append(_Former(int(row["valid_from_year"]), successors))
    return former


@cache
def _zones() -> dict[str, list[_Zone]]:
    zones: dict[str, list[_Zone]] = {}
    for row in _rows("functional_zones.csv"):
        zone = _Zone(
            tuple(row["parent_codes"].split(";")),
            dt.date.fromisoformat(row["valid_from"]) if row["valid_from"] else dt.date.min,
            dt.date.fromisoformat(row["valid_to"]) if row["valid_to"] else dt.date.max,
        )
        for label in (row["zone_name"], row["zone_code"]):
            if label:
                zones.setdefault(label, []).append(zone)
    return zones


def successor(code: str, day: dt.date | None) -> str | None:
    """What an abolished code or a functional zone (its code or name) stands for on *day*; None if nothing or several.

    Args:
        code: A code that is not in force, or a zone's name.
        day: The row's date; without one only what never depends on it is answered.
    """
    candidates: set[str] = set()
    for former in _former().get(code, ()):
        if day is None or day.year >= former.valid_from_year:
            candidates.update(former.successors or {"none"})
    for zone in _zones().get(code, ()):
        if (day is None and zone.valid_from == dt.date.min) or (
            day is not None and zone.valid_from <= day <= zone.valid_to
        ):
            candidates.update(zone.parents)
    found = candidates & codes_in_force()
    return next(iter(found)) if len(candidates) == 1 and found else None
