"""What the command line takes for an area or an indicator: its code, its name in either language, a part of it."""

from __future__ import annotations

import psycopg
from psycopg.rows import dict_row

from threegaps.cli import queries
from threegaps.cli.difference import Names
from threegaps.release import named_things
from threegaps.settings import Settings


def area(settings: Settings, text: str | None) -> str | None:
    """The code of the area that *text* means; nothing of nothing.

    Raises:
        ReleaseError: It means none, or several, or there is no release yet.
    """
    if text is None:
        return None
    queries.need_release(settings)
    with _connection(settings) as connection:
        return named_things.area_named(connection, text)


def indicator(settings: Settings, text: str | None) -> str | None:
    """The code of the indicator that *text* means; nothing of nothing.

    Raises:
        ReleaseError: It means none, or several, or there is no release yet.
    """
    if text is None:
        return None
    queries.need_release(settings)
    with _connection(settings) as connection:
        return named_things.indicator_named(connection, text)


def areas(settings: Settings, text: str) -> list[named_things.Row]:
    """Areas that *text* may mean, all without one.

    Raises:
        ReleaseError: There is no release yet.
    """
    queries.need_release(settings)
    with _connection(settings) as connection:
        return named_things.areas(connection, text)


def indicators(settings: Settings, text: str) -> list[named_things.Row]:
    """Indicators that *text* may mean, all without one.

    Raises:
        ReleaseError: There is no release yet.
    """
    queries.need_release(settings)
    with _connection(settings) as connection:
        return named_things.indicators(connection, text)


def names(settings: Settings) -> tuple[Names, Names]:
    """Chinese and English names of areas and of indicators, by their codes."""
    return (
        {row["area_code"]: (row["name_zh"], row["name_en"]) for row in areas(settings, "")},
        {row["indicator_code"]: (row["name_zh"], row["name_en"]) for row in indicators(settings, "")},
    )


def _connection(settings: Settings) -> psycopg.Connection[named_things.Row]:
    return psycopg.connect(settings.warehouse_dsn(), autocommit=True, row_factory=dict_row)
