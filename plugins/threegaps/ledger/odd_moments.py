"""Days and moments that no calendar has: the ledger may hold them, and one such row hides none of the others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import DateLoader, TimestamptzLoader

from threegaps.standards.moments import NEVER


def take_odd_moments(connection: psycopg.Connection[Any]) -> None:
    """Let *connection* read a day outside of the calendar as the calendar's end, and such a moment as `NEVER`.

    For what people look at and act on; what judges or keeps rows has to refuse them.
    """
    connection.adapters.register_loader("date", _AnyDate)
    connection.adapters.register_loader("timestamptz", _AnyMoment)


class _AnyDate(DateLoader):
    def load(self, data: Buffer) -> dt.date:
        try:
            return super().load(data)
        except psycopg.DataError:
            written = bytes(data)
            return dt.date.min if written.startswith(b"-") or written.endswith(b"BC") else dt.date.max


class _AnyMoment(TimestamptzLoader):
    def load(self, data: Buffer) -> dt.datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            return NEVER
