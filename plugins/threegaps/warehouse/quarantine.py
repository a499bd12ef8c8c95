"""Refused rows: shown to the engineer, and written to a file that a department can mend."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.contracts.model import Contract
from threegaps.contracts.tables import PERSON_COLUMN
from threegaps.errors import SettingsError
from threegaps.ledger.tickets import ACCEPTED_SINCE
from threegaps.returned import Returned, ReturnedRow, write_file

ROW_HEADER = "行标识"
SOURCE_HEADER = "来源文件"
NUMBER_HEADER = "数据行(不含表头)"
BATCH_HEADER = "退回批次"
_WHERE = (ROW_HEADER, SOURCE_HEADER, NUMBER_HEADER, BATCH_HEADER)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refused row; ``row_data`` has the source's texts by canonical name, never a document number.

    What stands in the ledger in another form than this version writes is read as far as it can be.
    """

    row_token: str
    batch_id: int
    feed: str
    delivery: str
    source_name: str
    row_number: int
    county_code: str
    row_data: dict[str, str | None]
    reasons: list[dict[str, Any]]
    landed_object_id: int
    refused_at: dt.datetime
    closed_by_batch_id: int | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "row_data", sent_of(self.row_data))
        object.__setattr__(self, "reasons", reasons_of(self.reasons))


@dataclass(frozen=True, slots=True)
class RefusedByRule:
    """How many rows of a feed wait because of one rule.

    Args:
        title_zh: What the feed is called; None where the ledger does not know it.
        rule: Empty where the ledger does not say which.
        column_name: The column that is named; None where a whole row is wrong.
        refused_rows: How many rows, each once; one that broke two rules counts with each.
        first_delivery: The earliest delivery that has any.
        last_delivery: The latest one.
    """

    feed: str
    title_zh: str | None
    title_en: str | None
    rule: str
    column_name: str | None
    message_zh: str | None
    message_en: str | None
    refused_rows: int
    first_delivery: str
    last_delivery: str


UNKNOWN_REASON = ("台账没有写明原因", "the ledger does not say why")


def reasons_of(stored: Any) -> list[dict[str, Any]]:
    """The reasons that stand with a row, one at least, each with its rule, column and messages as texts.

    Args:
        stored: What the ledger has: by this version a list of `threegaps.returned.Reason`.
    """
    return [_reason(one) for one in (stored if isinstance(stored, list) and stored else [None])]


def _reason(stored: Any) -> dict[str, Any]:
    known = stored if isinstance(stored, dict) else {}
    said = {name: _text(known.get(name)) for name in ("rule", "column", "message_zh", "message_en")}
    zh, en = said["message_zh"] or said["message_en"], said["message_en"] or said["message_zh"]
    zh, en = zh or UNKNOWN_REASON[0], en or UNKNOWN_REASON[1]
    return {**known, **said, "rule": said["rule"] or "", "message_zh": zh, "message_en": en}


def sent_of(stored: Any) -> dict[str, str | None]:
    """What was sent in a row by canonical name, as texts; nothing where the ledger has it in another form."""
    return {name: _text(value) for name, value in stored.items()} if isinstance(stored, dict) else {}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def broken_rules(row: str) -> str:
    """The rules that the refusal *row* broke, in SQL, each once: one rule may have several reasons in a row.

    Columns ``rule``, ``column_name``, ``message_zh`` and ``message_en``, as `reasons_of` reads them.
    """
    return (
        "(select distinct on (1) coalesce(reason ->> 'rule', '') as rule, reason ->> 'column' as column_name,"
        " reason ->> 'message_zh' as message_zh, reason ->> 'message_en' as message_en"
        f" from jsonb_array_elements(case when jsonb_typeof({row}.reasons) = 'array' and {row}.reasons <> '[]'"
        f" then {row}.reasons else '[null]' end) as reason order by 1, 2)"
    )


# Rows that are refused for the same reasons are counted before the reasons are taken apart: thousands are as ten.
REFUSED_BY_RULE = f"""
with alike as (
    select q.feed, q.reasons, count(*) as rows, min(d.place) as first, max(d.place) as last
    from quarantine.refused_row as q join (
        select b.batch_id, array[b.delivery_end::text collate "C", b.delivery_start::text, b.delivery] as place
        from ops.batch as b
    ) as d using (batch_id)
    where q.closed_by_batch_id is null and (%(feed)s::text is null or q.feed = %(feed)s)
        and (%(delivery)s::text is null or q.delivery = %(delivery)s)
    group by q.feed, q.reasons
)
select a.feed, f.title_zh, f.title_en, r.rule, min(r.column_name) as column_name, min(r.message_zh) as message_zh,
    min(r.message_en) as message_en, sum(a.rows)::bigint as refused_rows,
    (min(a.first))[3] as first_delivery, (max(a.last))[3] as last_delivery
from alike as a cross join lateral {broken_rules("a")} as r left join ops.feed as f using (feed)
group by a.feed, f.title_zh, f.title_en, r.rule order by a.feed, refused_rows desc, r.rule
"""


def refused_by_rule(
    connection: psycopg.Connection[Any], feed: str | None = None, delivery: str | None = None
) -> list[RefusedByRule]:
    """How many rows of a feed, or of each, wait because of each rule; by feed, the most frequent rule first.

    Args:
        delivery: Only rows of this one.
    """
    with connection.cursor(row_factory=class_row(RefusedByRule)) as cursor:
        return cursor.execute(REFUSED_BY_RULE.encode(), {"feed": feed, "delivery": delivery}).fetchall()


_CHOSEN = (
    "(%(feed)s::text is null or r.feed = %(feed)s)"
    " and (%(batch)s::bigint is null or r.batch_id = %(batch)s)"
    " and (%(delivery)s::text is null or r.delivery = %(delivery)s)"
    " and (%(county)s::text is null or r.county_code = %(county)s)"
    " and (%(rule)s::text is null"
    " or r.reasons @> jsonb_build_array(jsonb_build_object('rule', %(rule)s::text)))"
    " and (not %(open)s or r.closed_by_batch_id is null)"
)
"""Which refusals *r* are chosen, in SQL; each condition holds for all where it is not given."""


def show(
    connection: psycopg.Connection[Any],
    *,
    feed: str | None = None,
    batch_id: int | None = None,
    delivery: str | None = None,
    rule: str | None = None,
    county_code: str | None = None,
    open_only: bool = True,
    limit: int | None = 100,
) -> list[RefusedRow]:
    """Refused rows in the order of their files, at most *limit* of them (None: all).

    Args:
        rule: Only rows that broke this rule, among others or alone.
        open_only: Leave out rows that a later batch has closed.
    """
    with connection.cursor(row_factory=class_row(RefusedRow)) as cursor:
        cursor.execute(
            "select r.row_token, r.batch_id, r.feed, r.delivery, l.source_name, r.row_number, r.county_code,"
            " r.row_data, r.reasons, r.landed_object_id, r.refused_at, r.closed_by_batch_id"
            f" from quarantine.refused_row as r join ops.landed_object as l using (landed_object_id) where {_CHOSEN}"
            " order by r.batch_id, r.landed_object_id, r.row_number limit %(limit)s::bigint",
            {
                "feed": feed,
                "batch": batch_id,
                "delivery": delivery,
                "county": county_code,
                "rule": rule,
                "open": open_only,
                "limit": limit,
            },
        )
        return cursor.fetchall()


def reasons_by_token(connection: psycopg.Connection[Any], tokens: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Why each row of these tokens was refused, as it was judged last."""
    found = connection.execute(
        "select distinct on (r.row_token) r.row_token, r.reasons from quarantine.refused_row as r"
        " where r.row_token = any(%s) order by r.row_token, r.batch_id desc",
        [list(tokens)],
    ).fetchall()
    return {str(token): reasons_of(reasons) for token, reasons in found}


def count(
    connection: psycopg.Connection[Any],
    *,
    feed: str | None = None,
    delivery: str | None = None,
    rule: str | None = None,
    county_code: str | None = None,
) -> int:
    """How many open refused rows there are of these that `show` shows."""
    row = connection.execute(
        f"select count(*) from quarantine.refused_row as r where {_CHOSEN}".encode(),
        {"feed": feed, "batch": None, "delivery": delivery, "county": county_code, "rule": rule, "open": True},
    ).fetchone()
    return int(row[0]) if row else 0


def refused_by_token(
    connection: psycopg.Connection[Any], feed: str, tokens: list[str], statuses: Sequence[str]
) -> dict[str, tuple[RefusedRow, ...]]:
    """The feed's refusals under these tokens by its batches of these statuses, closed ones too, the newest first."""
    with connection.cursor(row_factory=class_row(RefusedRow)) as cursor:
        cursor.execute(
            "select r.row_token, r.batch_id, r.feed, r.delivery, l.source_name, r.row_number,"
            " r.county_code, r.row_data, r.reasons, r.landed_object_id, r.refused_at, r.closed_by_batch_id"
            " from quarantine.refused_row as r join ops.landed_object as l using (landed_object_id)"
            " join ops.batch as b using (batch_id)"
            " where r.feed = %s and r.row_token = any(%s) and b.status = any(%s)"
            " order by r.row_token, r.batch_id desc",
            [feed, tokens, list(statuses)],
        )
        return {token: tuple(rows) for token, rows in groupby(cursor.fetchall(), lambda row: row.row_token)}


def close_repaired(connection: psycopg.Connection[Any], feed: str, tokens: list[str], batch_id: int) -> None:
    """End the refusals that a batch of repairs mends: what is still wrong is refused anew, by that batch."""
    connection.execute(
        "update quarantine.refused_row set closed_by_batch_id = %s"
        " where feed = %s and row_token = any(%s) and closed_by_batch_id is null",
        [batch_id, feed, tokens],
    )


def refused_keys(connection: psycopg.Connection[Any], feed: str) -> list[tuple[str, str | None]]:
    """Hashes of the keys that rows of the feed were refused under, and wait; the pseudonym of each one's person."""
    return connection.execute(
        f"select distinct r.key_hash, r.row_data ->> '{PERSON_COLUMN}' from quarantine.refused_row as r"
        " join ops.batch as b using (batch_id)"
        " where r.feed = %s and r.key_hash is not null and r.closed_by_batch_id is null"
        " and b.status = 'loaded'".encode(),
        [feed],
    ).fetchall()


def close_settled(
    connection: psycopg.Connection[Any], feed: str, accepted_keys: Mapping[str, int], batch_id: int
) -> None:
    """End refusals of keys that a batch accepts since.

    Args:
        connection: The warehouse.
        feed: The feed.
        accepted_keys: By the hash of an accepted key, the newest landed object that has it.
        batch_id: The batch.
    """
    connection.execute(
        "update quarantine.refused_row as q set closed_by_batch_id = %(batch)s"
        " from unnest(%(keys)s::text[], %(objects)s::bigint[]) as a (key_hash, landed_object_id)"
        " where q.feed = %(feed)s and q.key_hash = a.key_hash and q.closed_by_batch_id is null"
        f" and {ACCEPTED_SINCE.format(refused='q', accepted='a')}".encode(),
        {"batch": batch_id, "feed": feed, "keys": list(accepted_keys), "objects": list(accepted_keys.values())},
    )


def keep_closed(connection: psycopg.Connection[Any], superseded_batch_id: int, batch_id: int) -> None:
    """Close what a batch that is judged again refuses again, where a repair of it has been taken in since."""
    connection.execute(
        "update quarantine.refused_row as again set closed_by_batch_id = earlier.closed_by_batch_id"
        " from quarantine.refused_row as earlier where again.batch_id = %(batch)s and earlier.batch_id = %(earlier)s"
        " and earlier.row_token = again.row_token and earlier.closed_by_batch_id <> %(batch)s",
        {"batch": batch_id, "earlier": superseded_batch_id},
    )


def export(
    connection: psycopg.Connection[Any],
    contract: Contract,
    path: Path,
    *,
    batch_id: int | None = None,
    delivery: str | None = None,
    rule: str | None = None,
    county_code: str | None = None,
    is_synthetic: bool,
    may_be_empty: bool = True,
    most_rows: int | None = None,
) -> list[tuple[str, int]]:
    """Write the feed's open refused rows to *path* (``.csv`` or ``.xlsx``) for the department; token and batch of each.

    A row has its token, file, row number and batch, the columns by the department's own names, and every reason in
    Chinese. Document numbers are left out, their pseudonyms too: token, file and row number say which row it is, and a
    repair that leaves the cell empty keeps the number that was sent.

    Args:
        connection: The warehouse.
        contract: The feed's contract.
        path: Where to; see `threegaps.returned`.
        batch_id: Only rows of this batch.
        delivery: Only rows of this delivery.
        rule: Only rows that broke this rule, with all their reasons.
        county_code: Only rows of this county.
        is_synthetic: Whether the rows are of the sandbox.
        may_be_empty: Write a file without a row where there is none; else none.
        most_rows: Refuse to write more; None where somebody waits for a file of any size.

    Raises:
        SettingsError: *path* is neither of the two kinds, or cannot be written; there are more rows than *most_rows*.
    """
    rows = show(
        connection,
        feed=contract.feed,
        batch_id=batch_id,
        delivery=delivery,
        rule=rule,
        county_code=county_code,
        limit=None if most_rows is None else most_rows + 1,
    )
    if most_rows is not None and len(rows) > most_rows:
        raise SettingsError(
            f"There are more than {most_rows:,} refused rows.",
            advice="choose a delivery, a rule or a county, or write them with `threegaps quarantine export`.",
        )
    if not rows and not may_be_empty:
        return []
    named = (("数据期", delivery), ("批次", batch_id), ("规则", rule), ("县(市、区)", county_code))
    about = [(name, str(value)) for name, value in named if value is not None]
    returned = [as_returned(row) for row in rows]
    write_file(path, Returned(contract, _WHERE, returned, is_synthetic=is_synthetic, about=about))
    return [(row.row_token, row.batch_id) for row in rows]


def as_returned(row: RefusedRow) -> ReturnedRow:
    """A refused row as it goes back, without the pseudonym of its person."""
    where = (row.row_token, row.source_name, str(row.row_number), str(row.batch_id))
    return ReturnedRow(where, row.row_data | {PERSON_COLUMN: None}, row.reasons)
