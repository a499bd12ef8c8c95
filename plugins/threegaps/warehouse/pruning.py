"""Which months of a partitioned raw table a statement needs, as literals: the planner then reads no other partition."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from threegaps.calendar import add_months
from threegaps.contracts.model import Contract
from threegaps.ledger.touches import AreaPeriod, whole_months

Months = tuple[tuple[dt.date, dt.date], ...]
"""Spans of whole months, first and last day; in order, none overlapping or adjoining another."""

_TOUCHED_BY_DELIVERY = (
    "select t.period_from, least(t.period_to, '9999-12-31'::date) from ops.touch as t join ops.batch as b"
    " using (batch_id) join ops.batch as own on own.feed = b.feed and own.delivery = b.delivery"
    " where own.batch_id = %s and b.status in ('loaded', 'superseded') group by 1, 2"
)


class Pruning:
    """What one batch's statements need of its feed's raw table."""

    def __init__(self, connection: psycopg.Connection[Any], contract: Contract, batch_id: int) -> None:
        self._connection = connection
        self._column = contract.partition_column
        self._batch_id = batch_id
        # Touches say in which months a delivery's rows are only if they begin with what the table is divided by.
        self._is_touched_by_column = contract.touch.from_columns[:1] == (self._column,)

    def within(self, alias: str, months: Months | None) -> sql.Composable:
        """The condition that a row of *alias* stands in *months*; true for None and for an undivided table."""
        if self._column is None or months is None:
            return sql.SQL("true")
        if not months:
            return sql.SQL("false")
        column = sql.Identifier(alias, self._column)
        spans = [
            sql.SQL("{} between {} and {}").format(
                column, sql.Literal(first.isoformat()), sql.Literal(last.isoformat())
            )
            for first, last in months
        ]
        return sql.SQL("({})").format(sql.SQL(" or ").join(spans))

    def months_in(self, table: sql.Identifier) -> Months:
        """The months that the rows of *table* stand in."""
        if self._column is None:
            return ()
        rows = self._connection.execute(
            sql.SQL("select distinct date_trunc('month', {})::date from {}").format(sql.Identifier(self._column), table)
        ).fetchall()
        return _joined((row[0], row[0]) for row in rows)

    def months_of_delivery(self, touched: Iterable[AreaPeriod] = ()) -> Months | None:
        """The months that may hold rows of batches of this one's delivery; None where the ledger does not know.

        Args:
            touched: What this batch itself has touched so far: the ledger does not have it yet.
        """
        if self._column is None or not self._is_touched_by_column:
            return None
        rows = self._connection.execute(_TOUCHED_BY_DELIVERY, [self._batch_id]).fetchall()
        return _joined([*((row[0], row[1]) for row in rows), *((first, last) for _, first, last in touched)])

    def untouched(self, months: Months, touched: Iterable[AreaPeriod]) -> Months:
        """Those of *months* that neither this batch, by *touched*, nor an earlier one of the delivery has touched."""
        known = self.months_of_delivery(touched)
        if known is None:
            return ()
        missing = (month for month in each_month(months) if not any(first <= month <= last for first, last in known))
        return _joined((month, month) for month in missing)


def each_month(months: Months) -> Iterator[dt.date]:
    """First days of the months in *months*."""
    for first, last in months:
        month = first
        while month <= last:
            yield month
            month = add_months(month, 1)


def _joined(spans: Iterable[tuple[dt.date, dt.date]]) -> Months:
    return tuple((first, last) for _, first, last in whole_months(("", *span) for span in spans))
