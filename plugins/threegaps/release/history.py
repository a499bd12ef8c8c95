"""What was said in two releases, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.errors import ReleaseError


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell of ``indicator_value`` that two releases say differently."""

    indicator_code: str
    area_code: str
    period_label: str
    breakdown: str
    breakdown_value: str
    value_before: Decimal | None
    value_after: Decimal | None
    value_status_before: str | None
    value_status_after: str | None
    said_by_release: int | None


_DIFFERENCE = """
select coalesce(b.indicator_code, a.indicator_code) as indicator_code, coalesce(b.area_code, a.area_code) as area_code,
       coalesce(b.period_label, a.period_label) as period_label, coalesce(b.breakdown, a.breakdown) as breakdown,
       coalesce(b.breakdown_value, a.breakdown_value) as breakdown_value, b.value as value_before,
       a.value as value_after, b.value_status as value_status_before, a.value_status as value_status_after,
       a.value_release_id as said_by_release
from pg_temp.said_before as b
full join pg_temp.said_after as a
    using (indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)
where (a.value, a.numerator, a.denominator, a.value_status, a.status, a.maturity)
    is distinct from (b.value, b.numerator, b.denominator, b.value_status, b.status, b.maturity)
order by 1, coalesce(b.period_end, a.period_end), 2, 4, 5
"""


def difference(dsn: str, first: int, second: int | None = None) -> list[Difference]:
    """Cells that release *first* and *second* (by default the serving one) say differently, whoever said them first.

    Raises:
        ReleaseError: There is no such release.
    """
    with psycopg.connect(dsn) as connection:
        connection.execute("set transaction isolation level repeatable read")
        later = second if second is not None else serving_release(connection)
        for name, release in (("said_before", first), ("said_after", later)):
            pin(connection, release)
            connection.execute(
                f"create temp table {name} on commit drop as select * from history.indicator_value_at".encode()
            )
        with connection.cursor(row_factory=class_row(Difference)) as cursor:
            return cursor.execute(_DIFFERENCE).fetchall()


def serving_release(connection: psycopg.Connection[Any]) -> int:
    """The release that serves.

    Raises:
        ReleaseError: There is none yet.
    """
    row = connection.execute("select release_id from ops.current_release").fetchone()
    if row is None:
        raise ReleaseError("There is no release yet.", advice="`threegaps build` makes one.")
    return int(row[0])


def pin(connection: psycopg.Connection[Any], release: int) -> None:
    """Pin the session to what *release* said; read it from the views ``history.<table>_at``.

    Raises:
        ReleaseError: There is no such release.
    """
    try:
        connection.execute("select history.as_of(%s)", [release])
    except psycopg.errors.RaiseException:
        raise ReleaseError(f"There is no release {release}.", advice="see `threegaps release list`.") from None
