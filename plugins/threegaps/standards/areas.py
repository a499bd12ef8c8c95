"""Divisions of Zhejiang: which codes are in force, and what an old code, a name or a zone stands for on a date.

The tables and their sources lie in ``reference/``.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from threegaps.standards.white_space import without_white_space

if TYPE_CHECKING:
    import polars as pl

PROVINCE = "330000"
PROVINCE_NAME = "浙江省"
HANGZHOU_DIVIDED_ON = dt.date(2021, 4, 9)
"""The day from which the counties of ``hangzhou_2021_split.csv`` are those of today."""
OTHER_PROVINCES_AREA, UNKNOWN_AREA = "OUT", "UNK"
"""The areas 省外 and 不详: of those who live in another province, and of those of whom nobody has said where."""
PROVINCE_OWN_LEVEL = "339900"
"""省本级: what the province's own offices file, insure or issue. A city's (市本级) is its first four digits and 99."""
ELSEWHERE = r"^(1[1-5]|2[1-3]|3[124567]|4[1-6]|5[0-4]|6[1-5]|71|81|82)[0-9]{4}$"
"""A division of another province: its own codes are not kept here, the province's first two digits are (GB/T 2260)."""


@dataclass(frozen=True, slots=True)
class _Former:
    valid_from_year: int
    successors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Named:
    """A division that has or had a name: what it is today, until when parts of it were of it, and its cities' codes."""

    valid_from_year: int
    valid_to_year: int | None
    successors: tuple[str, ...]
    parts: tuple[tuple[dt.date, str], ...]
    cities: frozenset[str]


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
    """Codes in force of the given levels.

    Args:
        levels: ``county``, ``city``, ``province``, or ``own_level``: the province's and the cities' own offices, which
            are no divisions and have a code beside them in the departments' systems.
    """
    codes: set[str] = set()
    for row in _rows("counties.csv"):
        if "county" in levels:
            codes.add(row["county_code"])
        if "city" in levels:
            codes.add(row["city_code"])
        if "own_level" in levels:
            codes.add(f"{row['city_code'][:4]}99")
    if "province" in levels:
        codes.add(PROVINCE)
    if "own_level" in levels:
        codes.add(PROVINCE_OWN_LEVEL)
    return frozenset(codes)


def is_division(code: str, levels: tuple[str, ...] = ("county",)) -> bool:
    """Whether *code* is a division in force of one of the levels; the level ``elsewhere`` is any other province."""
    return code in codes_in_force(levels) or ("elsewhere" in levels and re.fullmatch(ELSEWHERE, code) is not None)


def are_divisions(codes: pl.Series, levels: tuple[str, ...]) -> pl.Series:
    """For each code what `is_division` says of it; nothing of one that is missing."""
    known = codes.is_in(list(codes_in_force(levels)))
    return known | codes.str.contains(ELSEWHERE) if "elsewhere" in levels else known


@cache
def county_centres() -> dict[str, tuple[float, float]]:
    """Longitude and latitude (degrees) of the centre of each county in force, by its code."""
    return {
        row["county_code"]: (float(row["centroid_lon"]), float(row["centroid_lat"])) for row in _rows("counties.csv")
    }


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


def successors(code: str) -> tuple[str, ...]:
    """The codes in force that an abolished code has become in whole or in part; none of one that is in force."""
    if code in codes_in_force():
        return ()
    return tuple(sorted({became for former in _former().get(code, ()) for became in former.successors}))


@cache
def code_named(
    name: str | None, day: dt.date | None, levels: tuple[str, ...] = ("county",), *, city: str | None = None
) -> str | None:
    """The code in force of the division or functional zone that *name* stands for on *day*; None if none or several.

    A name that has become several divisions, by abolition (江干区) or because parts have left the division that still
    has it (余杭区 before 2021-04-09, 苍南县 before 龙港市), says none of them for certain.

    Args:
        name: As written, with or without the province's and the city's before it.
        day: The row's date; without one only what never depends on it is answered.
        levels: What kinds of divisions may be named.
        city: The name of the city, which tells divisions of one name apart.
    """
    text = without_white_space(name or "")
    if text == PROVINCE_NAME:
        return PROVINCE if "province" in levels else None
    text = text.removeprefix(PROVINCE_NAME)
    cities = _cities()
    if text in cities and "city" in levels:
        return cities[text]
    within = cities.get(without_white_space(city or ""))
    candidates = set(_candidates(text, day, within))
    if not candidates:
        before = next((above for above in cities if text.startswith(above) and text != above), None)
        if before is None or within not in {None, cities[before]}:
            return None
        candidates = set(_candidates(text.removeprefix(before), day, cities[before]))
    found = candidates & codes_in_force()
    return next(iter(found)) if "county" in levels and len(candidates) == 1 and found else None


def _candidates(name: str, day: dt.date | None, within: str | None) -> Iterator[str]:
    """All that *name* may stand for on *day*, in the city of code *within* where it is known."""
    divisions = [division for division in _named().get(name, ()) if within is None or within[:4] in division.cities]
    if day is not None:
        # One that had the name on the day; else one of old, still written, or one of later: lists are recoded.
        on_the_day = [
            division
            for division in divisions
            if division.valid_from_year <= day.year <= (division.valid_to_year or dt.MAXYEAR)
        ]
        begun = [
            division for division in divisions if division.valid_from_year <= day.year or division.valid_to_year is None
        ]
        divisions = on_the_day or begun
    for division in divisions:
        yield from division.successors or ("none",)
        until = day if division.valid_to_year is None else dt.date(division.valid_to_year + 1, 1, 1)
        yield from (code for left_on, code in division.parts if until is None or until < left_on)
    for zone in _zones().get(name, ()):
        is_in_force = zone.valid_from <= day <= zone.valid_to if day is not None else zone.valid_from == dt.date.min
        if is_in_force and (within is None or within[:4] in {code[:4] for code in zone.parents}):
            yield from zone.parents


@cache
def _county_names() -> dict[str, str]:
    return {row["county_code"]: row["county_name"] for row in _rows("counties.csv")}


def county_named(code: str) -> str:
    """A county's code with its name; the code alone where it names no county in force."""
    name = _county_names().get(code)
    return f"{code} {name}" if name else code


@dataclass(frozen=True, slots=True)
class City:
    """A city with its counties in force, code and name of each."""

    code: str
    name: str
    counties: tuple[tuple[str, str], ...]


@cache
def counties_by_city() -> tuple[City, ...]:
    """The cities with their counties in force, each in the order of the codes."""
    counties: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in _rows("counties.csv"):
        counties.setdefault((row["city_code"], row["city_name"]), []).append((row["county_code"], row["county_name"]))
    return tuple(City(code, name, tuple(sorted(own))) for (code, name), own in sorted(counties.items()))


@cache
def _cities() -> dict[str, str]:
    return {row["city_name"]: row["city_code"] for row in _rows("counties.csv")}


@cache
def _named() -> dict[str, list[_Named]]:
    """Divisions of today and of old by name."""
    left = _parts_that_left()
    named: dict[str, list[_Named]] = {}
    for row in _rows("county_code_history.csv"):
        successors = tuple(code for code in row["current_successors"].split(";") if code)
        is_in_force = row["status"] == "in_use"
        named.setdefault(row["old_name"], []).append(
            _Named(
                int(row["valid_from_year"]),
                None if is_in_force else int(row["valid_to_year"]),
                successors,
                tuple(part for code in successors for part in left.get(code, ())),
                frozenset(code[:4] for code in (*successors, row["old_code"])),
            )
        )
    return named


@cache
def _parts_that_left() -> dict[str, tuple[tuple[dt.date, str], ...]]:
    """By the code of a division in force, what has left it: the day until which it was of it, and its code today.

    Of most only the year is known: until its end nobody can tell.
    """
    history = _rows("county_code_history.csv")
    today = {row["old_code"]: row["current_successors"].split(";") for row in history}
    left: dict[str, set[tuple[dt.date, str]]] = {}
    for row in history:
        if row["status"] == "in_use":
            for code, year in re.findall(r"([0-9]{6})\[([0-9]{4})\]", row["successor_codes_raw"]):
                parts = left.setdefault(row["old_code"], set())
                parts.update((dt.date(int(year) + 1, 1, 1), part) for part in today[code] if part != row["old_code"])
    for old, codes in _divided_in_hangzhou():
        left[old] = {(HANGZHOU_DIVIDED_ON, code) for code in codes if code != old} | {
            part for part in left.get(old, set()) if part[0].year <= HANGZHOU_DIVIDED_ON.year - 1
        }
    return {code: tuple(sorted(parts)) for code, parts in left.items()}


def _divided_in_hangzhou() -> Iterable[tuple[str, set[str]]]:
    divided: dict[str, set[str]] = {}
    for row in _rows("hangzhou_2021_split.csv"):
        divided.setdefault(row["old_code"], set()).add(row["new_code"])
    return divided.items()
