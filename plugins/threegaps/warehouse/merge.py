"""Merge a batch's rows into the raw table by row version, on the server.

A version is (source update time or correction number, arrival, row); the highest wins whatever the order of loading. A
version that is replaced moves to ``raw_history``; so does one that comes too late. A withdrawal is a version too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from threegaps.contracts.model import Contract
from threegaps.contracts.tables import accepted_columns, raw_key
from threegaps.ledger.batches import Merged
from threegaps.ledger.landed import REPLAY_PREFIX
from threegaps.ledger.touches import EARLIEST, OPEN_END, UNKNOWN_COUNTY, Place
from threegaps.warehouse.pruning import Months, Pruning, each_month
from threegaps.warehouse.tables import ensure_partitions, names

VERSION_COLUMNS = ("_version", "_landed_object_id", "_row_number")
LINEAGE_COLUMNS = ("_batch_id", *VERSION_COLUMNS)
ROWS = sql.Identifier("load_rows")
OUTCOME = sql.Identifier("load_outcome")
CLOSED_ROW_NUMBER = 0
"""Stands in place of a row's number where a delivery closed it by not having it."""


@dataclass(frozen=True, slots=True)
class Absence:
    """What a complete delivery closes by not having it.

    Args:
        delivery: Only rows that an earlier arrival of this delivery said; None for every row of the feed.
        version: What the closing counts as in the version order: its list's, else that of an original.
        landed_object_id: The newest landed object of the batch: the closing's place among equal versions.
    """

    delivery: str | None
    version: int
    landed_object_id: int


class Merge:
    """The merge of one batch whose rows stand in the temporary table ``load_rows``."""

    def __init__(self, connection: psycopg.Connection[Any], contract: Contract, batch_id: int) -> None:
        self._connection = connection
        self._contract = contract
        self._batch_id = batch_id
        self._columns = accepted_columns(contract)
        self._key = raw_key(contract)
        self._raw = sql.Identifier("raw", contract.table)
        self._history = sql.Identifier("raw_history", contract.table)
        self._places: set[Place] = set()
        self._pruning = Pruning(connection, contract, batch_id)
        self._months: Months = ()
        """The months that the batch's rows stand in."""

    @property
    def places(self) -> set[Place]:
        """What was touched so far: the old and the new image of every row that changed."""
        return self._places

    def create_table(self) -> None:
        """Make the temporary table that the batch's rows are copied to; it ends with the transaction."""
        self._run("create temporary table {} (like {} including defaults) on commit drop", ROWS, self._raw)

    def run(self, *, is_older_list: bool, absence: Absence | None, is_latest: bool = False) -> Merged:
        """Merge; the counts.

        Args:
            is_latest: The batch has the latest arrival of every part of its delivery: rows that an earlier absence
                closed are open again where it has them, though their part arrived before that.
            is_older_list: A later full list has been loaded already: all rows go to history only.
            absence: What the delivery closes; None where it is not complete or not a full one.
        """
        self._run("analyze {}", ROWS)
        self._months = self._pruning.months_in(ROWS)
        self._make_partitions()
        self._judge_against_raw(is_older_list=is_older_list, is_latest=is_latest)
        counts = self._counts()
        self._note_old_image()
        self._note_places(ROWS, self._outcome_is("inserted", "changed", "withdrawn"), alias="b")
        self._keep_history()
        self._upsert()
        self._note_months_of_delivery()
        closed = 0 if absence is None or is_older_list else self._close(absence)
        return Merged(
            inserted=counts.get("inserted", 0),
            changed=counts.get("changed", 0),
            unchanged=sum(counts.get(name, 0) for name in ("unchanged", "raised", "late")),
            withdrawn=counts.get("withdrawn", 0),
            closed_by_absence=closed,
        )

    def retract(self, superseded_batch_id: int) -> None:
        """Take back what a superseded batch said: what stood before it stands again until its successor merges."""
        said = sql.SQL("b._batch_id = {} and {}").format(
            sql.Literal(superseded_batch_id), self._pruning.within("b", self._pruning.months_of_delivery())
        )
        self._run(
            "create temporary table load_retracted on commit drop as select * from {} as b where {}", self._raw, said
        )
        self._note_places(sql.Identifier("load_retracted"), sql.SQL("true"), alias="b")
        self._run("delete from {} as b where {}", self._raw, said)
        self._run(
            "insert into {} ({}, _superseded_by_batch_id) select {}, {} from load_retracted",
            self._history,
            names(self._columns),
            names(self._columns),
            sql.Literal(self._batch_id),
        )
        self._restore(
            sql.Identifier("load_retracted"),
            sql.SQL(
                "h._batch_id in (select batch_id from ops.batch where feed = {} and status = 'loaded'"
                " and batch_id <> {})"
            ).format(sql.Literal(self._contract.feed), sql.Literal(superseded_batch_id)),
        )
        self._connection.execute(
            "update quarantine.refused_row set closed_by_batch_id = %s"
            " where batch_id = %s and closed_by_batch_id is null",
            [self._batch_id, superseded_batch_id],
        )

    def _make_partitions(self) -> None:
        if self._contract.partition_column is not None:
            ensure_partitions(self._connection, self._contract, each_month(self._months))

    def _judge_against_raw(self, *, is_older_list: bool, is_latest: bool) -> None:
        content = [column for column in self._columns if column not in LINEAGE_COLUMNS and column not in self._key]
        is_older = (
            sql.SQL("true")
            if is_older_list
            else sql.SQL("({}) <= ({})").format(self._names("b", VERSION_COLUMNS), self._names("r", VERSION_COLUMNS))
        )
        if is_latest and not is_older_list:
            is_older = sql.SQL("({} and not (r._withdrawn and r._row_number = {}))").format(
                is_older, sql.Literal(CLOSED_ROW_NUMBER)
            )
        self._run(
            "create temporary table {outcome} on commit drop as select {key}, case"
            " when r._batch_id is null and {is_list} then 'late'"
            " when r._batch_id is null and b._withdrawn then 'withdrawn'"
            " when r._batch_id is null then 'inserted'"
            " when ({content_b}) is not distinct from ({content_r}) then case when {older} then 'unchanged'"
            " else 'raised' end"
            " when {older} then 'late'"
            " when b._withdrawn then 'withdrawn' else 'changed' end as outcome,"
            " r._batch_id is not null as is_known"
            " from {rows} as b left join {raw} as r on {same_key} and {within}",
            outcome=OUTCOME,
            key=self._names("b", self._key),
            is_list=sql.SQL("true" if is_older_list else "false"),
            content_b=sql.SQL("row({})").format(self._names("b", content)),
            content_r=sql.SQL("row({})").format(self._names("r", content)),
            older=is_older,
            rows=ROWS,
            raw=self._raw,
            same_key=self._same_key("b", "r"),
            within=self._pruning.within("r", self._months),
        )
        self._run("analyze {}", OUTCOME)

    def _counts(self) -> dict[str, int]:
        rows = self._connection.execute(
            sql.SQL("select outcome, count(*) from {} group by outcome").format(OUTCOME)
        ).fetchall()
        return {str(row[0]): int(row[1]) for row in rows}

    def _note_old_image(self) -> None:
        condition = sql.SQL("{} and {}").format(
            self._pruning.within("b", self._months), self._outcome_is("changed", "withdrawn")
        )
        self._note_places(self._raw, condition, alias="b")

    def _note_months_of_delivery(self) -> None:
        """Touch the months of rows that changed nothing, where no batch of the delivery has touched them yet.

        Such a row may stand in its place, or come back to it, as said by this delivery. Closing and retracting look
        for a delivery's rows only in the months that it has touched.
        """
        unsaid = self._pruning.unsaid(self._months, self._places)
        if unsaid:
            self._note_places(ROWS, self._pruning.within("b", unsaid), alias="b")

    def _keep_history(self) -> None:
        self._run(
            "insert into {history} ({columns}, _superseded_by_batch_id) select {columns_r}, {batch}"
            " from {raw} as r join {outcome} as o on {same_key}"
            " where o.outcome in ('changed', 'withdrawn') and o.is_known and {within}",
            history=self._history,
            columns=names(self._columns),
            columns_r=self._names("r", self._columns),
            batch=sql.Literal(self._batch_id),
            raw=self._raw,
            outcome=OUTCOME,
            same_key=self._same_key("o", "r"),
            within=self._pruning.within("r", self._months),
        )
        # What came too late was never current: history says that the batch itself was behind.
        self._run(
            "insert into {history} ({columns}, _superseded_by_batch_id)"
            " select {columns_b}, coalesce(r._batch_id, {batch})"
            " from {rows} as b join {outcome} as o on {same_key} left join {raw} as r"
            " on {same_raw} and {within}"
            " where o.outcome = 'late'",
            history=self._history,
            columns=names(self._columns),
            columns_b=self._names("b", self._columns),
            batch=sql.Literal(self._batch_id),
            rows=ROWS,
            outcome=OUTCOME,
            same_key=self._same_key("o", "b"),
            raw=self._raw,
            same_raw=self._same_key("b", "r"),
            within=self._pruning.within("r", self._months),
        )

    def _upsert(self) -> None:
        values = [column for column in self._columns if column not in self._key]
        self._run(
            "insert into {raw} ({columns}) select {columns_b} from {rows} as b join {outcome} as o on {same_key}"
            " where o.outcome in ('inserted', 'changed', 'withdrawn', 'raised')"
            " on conflict ({key}) do update set {assignments}",
            raw=self._raw,
            columns=names(self._columns),
            columns_b=self._names("b", self._columns),
            rows=ROWS,
            outcome=OUTCOME,
            same_key=self._same_key("o", "b"),
            key=names(self._key),
            assignments=sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in values
            ),
        )

    def _close(self, absence: Absence) -> int:
        # A full list closes whatever it does not have, wherever that stands.
        months = None if absence.delivery is None else self._pruning.months_of_delivery(self._places)
        scope = (
            sql.SQL("true")
            if absence.delivery is None
            else sql.SQL(
                "b._landed_object_id in (select landed_object_id from ops.landed_object"
                " where feed = {} and delivery = {} and (not is_correction or starts_with(part, {})))"
            ).format(sql.Literal(self._contract.feed), sql.Literal(absence.delivery), sql.Literal(REPLAY_PREFIX))
        )
        closing = sql.SQL(", ").join(map(sql.Literal, (absence.version, absence.landed_object_id, CLOSED_ROW_NUMBER)))
        absent = sql.SQL(
            "{within} and not b._withdrawn and {scope} and ({version}) < ({closing})"
            " and not exists (select 1 from {rows} as s where {same_key})"
        ).format(
            within=self._pruning.within("b", months),
            scope=scope,
            version=self._names("b", VERSION_COLUMNS),
            closing=closing,
            rows=ROWS,
            same_key=self._same_key("s", "b"),
        )
        self._note_places(self._raw, absent, alias="b")
        self._run(
            "insert into {history} ({columns}, _superseded_by_batch_id) select {columns_b}, {batch} from {raw} as b"
            " where {absent}",
            history=self._history,
            columns=names(self._columns),
            columns_b=self._names("b", self._columns),
            batch=sql.Literal(self._batch_id),
            raw=self._raw,
            absent=absent,
        )
        closed = self._run(
            "update {raw} as b set _withdrawn = true, _batch_id = {batch}, _version = {version},"
            " _landed_object_id = {landed}, _row_number = {number} where {absent}",
            number=sql.Literal(CLOSED_ROW_NUMBER),
            raw=self._raw,
            batch=sql.Literal(self._batch_id),
            version=sql.Literal(absence.version),
            landed=sql.Literal(absence.landed_object_id),
            absent=absent,
        ).rowcount
        if closed and absence.delivery is not None:
            self._give_back(absence.delivery, months)
        return closed

    def _give_back(self, delivery: str, months: Months | None) -> None:
        """Where another delivery goes on saying a row that *delivery* only took over, its version stands again."""
        self._run(
            "create temporary table load_closed on commit drop as select {key} from {raw} as b"
            " where {within} and _batch_id = {batch} and _row_number = {number}",
            key=names(self._key),
            raw=self._raw,
            batch=sql.Literal(self._batch_id),
            number=sql.Literal(CLOSED_ROW_NUMBER),
            within=self._pruning.within("b", months),
        )
        # A batch goes on standing until a later complete one of its delivery; a department's correction outlasts that.
        self._restore(
            sql.Identifier("load_closed"),
            sql.SQL(
                "h._batch_id in (select batch_id from ops.batch where feed = {feed} and status = 'loaded')"
                " and h._landed_object_id in (select o.landed_object_id"
                " from ops.batch_object as o join ops.batch as b using (batch_id)"
                " join ops.landed_object as l using (landed_object_id)"
                " where b.feed = {feed} and b.delivery <> {delivery} and b.status = 'loaded'"
                " and (l.is_correction and not starts_with(l.part, {replay}) or not exists ("
                "select 1 from ops.batch as later join ops.batch_object as sent using (batch_id)"
                " join ops.landed_object as original on original.landed_object_id = sent.landed_object_id"
                " where later.feed = b.feed and later.delivery = b.delivery and later.status = 'loaded'"
                " and later.is_complete and later.place_number > b.place_number and not original.is_correction)))"
            ).format(
                feed=sql.Literal(self._contract.feed), delivery=sql.Literal(delivery), replay=sql.Literal(REPLAY_PREFIX)
            ),
        )

    def _restore(self, keys: sql.Identifier, standing: sql.Composable) -> None:
        """Move, for each key in *keys*, the highest version in history that is *standing* back to its place."""
        restored = sql.Identifier("load_restored")
        self._run(
            "create temporary table {restored} on commit drop as"
            " select distinct on ({key}) h.ctid as place, h.* from {history} as h join {keys} using ({key})"
            " where {standing} order by {key}, {version} desc",
            restored=restored,
            key=names(self._key),
            history=self._history,
            keys=keys,
            standing=standing,
            version=sql.SQL("row({})").format(self._names("h", VERSION_COLUMNS)),
        )
        self._note_places(restored, sql.SQL("true"), alias="b")
        self._run(
            "delete from {} as r using {} as b where {} and {}",
            self._raw,
            restored,
            self._same_key("r", "b"),
            self._pruning.within("r", self._pruning.months_in(restored)),
        )
        self._run(
            "insert into {} ({}) select {} from {}", self._raw, names(self._columns), names(self._columns), restored
        )
        self._run("delete from {} where ctid in (select place from {})", self._history, restored)
        self._run("drop table {}", restored)

    def _outcome_is(self, *outcomes: str) -> sql.Composed:
        return sql.SQL("exists (select 1 from {} as o where {} and o.outcome in ({}))").format(
            OUTCOME, self._same_key("o", "b"), sql.SQL(", ").join(sql.Literal(outcome) for outcome in outcomes)
        )

    def _note_places(self, table: sql.Identifier, condition: sql.Composable, *, alias: str) -> None:
        self._places.update(places_in(self._connection, self._contract, table, condition, alias=alias))

    def _same_key(self, left: str, right: str) -> sql.Composed:
        return sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(left, column), sql.Identifier(right, column))
            for column in self._key
        )

    @staticmethod
    def _names(alias: str, columns: Iterable[str]) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(alias, column) for column in columns)

    def _run(self, text: str, *parts: sql.Composable, **named: sql.Composable) -> psycopg.Cursor[Any]:
        return self._connection.execute(sql.SQL(text).format(*parts, **named))


def places_in(
    connection: psycopg.Connection[Any],
    contract: Contract,
    table: sql.Identifier,
    condition: sql.Composable,
    *,
    alias: str = "b",
) -> set[Place]:
    """Which counties and months the rows of *table* under *condition* speak of, as the contract says."""
    touch = contract.touch
    first = _first_date(alias, touch.from_columns, fallback=sql.Literal(EARLIEST.isoformat()))
    last = _first_date(alias, [*touch.to_columns] or [*touch.from_columns], fallback=sql.SQL("'infinity'"))
    counties = sql.SQL(", ").join(sql.Identifier(alias, column) for column in touch.county_columns)
    rows = connection.execute(
        sql.SQL(
            "select distinct county, date_trunc('month', first)::date,"
            " case when isfinite(last) then date_trunc('month', greatest(first, last))::date end from ("
            "select unnest(case when coalesce({counties}) is null then array[{unknown}]"
            " else array_remove(array[{counties}], null) end) as county, {first} as first, {last} as last"
            " from {table} as {alias} where {condition}) as places"
        ).format(
            counties=counties,
            unknown=sql.Literal(UNKNOWN_COUNTY),
            first=first,
            last=last,
            table=table,
            alias=sql.Identifier(alias),
            condition=condition,
        )
    ).fetchall()
    return {(str(row[0]), row[1], OPEN_END if row[2] is None else row[2]) for row in rows}


def _first_date(alias: str, columns: Iterable[str], *, fallback: sql.Composable) -> sql.Composed:
    parts: list[sql.Composable] = [
        sql.SQL("'infinity'::date")
        if column == "infinity"
        else sql.SQL("{}::date").format(sql.Identifier(alias, column))
        for column in columns
    ]
    return sql.SQL("coalesce({})").format(sql.SQL(", ").join([*parts, sql.SQL("{}::date").format(fallback)]))
