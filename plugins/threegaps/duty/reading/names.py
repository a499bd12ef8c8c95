"""What areas and indicators are called, in Chinese and in English: as the release that serves has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from threegaps.standards.areas import PROVINCE, PROVINCE_NAME, counties_by_city

Names = Mapping[str, tuple[str, str]]
"""Chinese and English names by code."""


def area_names(connection: psycopg.Connection[Any]) -> Names:
    """The names of areas; before the first release those of divisions, in Chinese alone."""
    official = {PROVINCE: (PROVINCE_NAME, PROVINCE_NAME)}
    for city in counties_by_city():
        official |= {code: (name, name) for code, name in ((city.code, city.name), *city.counties)}
    return official | _served(connection, "dim_area", "area_code")


def indicator_names(connection: psycopg.Connection[Any]) -> Names:
    """The names of indicators; none before the first release."""
    return _served(connection, "dim_indicator", "indicator_code")


def breakdown_names(connection: psycopg.Connection[Any]) -> Names:
    """The names of breakdowns, and of their values by ``breakdown=value``; none before the first release."""
    values = _served(connection, "dim_breakdown", "breakdown || '=' || breakdown_value")
    return _served(connection, "dim_breakdown", "breakdown", "breakdown_name") | values


def _served(
    connection: psycopg.Connection[Any], relation: str, code: str, name: str = "name"
) -> dict[str, tuple[str, str]]:
    """Names by *code*, which is SQL of a served relation's columns; a name that is not there is the code.

    Args:
        name: What the columns of the names begin with.
    """
    there = connection.execute("select to_regclass(%s) is not null", [f"marts.{relation}"]).fetchone()
    if there is None or not there[0]:
        return {}
    found = connection.execute(f"select {code}, {name}_zh, {name}_en from marts.{relation}".encode()).fetchall()
    return {str(key): (str(zh or en or key), str(en or zh or key)) for key, zh, en in found if key is not None}
