"""What areas and indicators are called, in Chinese and in English: as the seeds in the warehouse have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from threegaps.standards.areas import PROVINCE, PROVINCE_NAME, counties_by_city

Names = Mapping[str, tuple[str, str]]
"""Chinese and English names by code."""


def area_names(connection: psycopg.Connection[Any]) -> Names:
    """The names of areas; before the first build those of divisions, in Chinese alone."""
    official = {PROVINCE: (PROVINCE_NAME, PROVINCE_NAME)}
    for city in counties_by_city():
        official |= {code: (name, name) for code, name in ((city.code, city.name), *city.counties)}
    return official | _seeded(connection, "seed_area", "area_code")


def indicator_names(connection: psycopg.Connection[Any]) -> Names:
    """The names of indicators; none before the first build."""
    return _seeded(connection, "seed_indicator", "indicator_code")


def breakdown_names(connection: psycopg.Connection[Any]) -> Names:
    """The names of breakdowns, and of their values by ``breakdown=value``; none before the first build."""
    values = _seeded(connection, "seed_breakdown_value", "breakdown || '=' || breakdown_value")
    return _seeded(connection, "seed_breakdown", "breakdown") | values


def _seeded(connection: psycopg.Connection[Any], seed: str, code: str) -> dict[str, tuple[str, str]]:
    """Names by *code*, which is SQL of the seed's columns; a name that is not there is the code."""
    there = connection.execute("select to_regclass(%s) is not null", [f"core.{seed}"]).fetchone()
    if there is None or not there[0]:
        return {}
    found = connection.execute(f"select {code}, name_zh, name_en from core.{seed}".encode()).fetchall()
    return {str(key): (str(zh or en or key), str(en or zh or key)) for key, zh, en in found if key is not None}
