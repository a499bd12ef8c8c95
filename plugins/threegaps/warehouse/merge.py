"""Merge a batch's rows into the raw table by row version, on the server.

The highest version that stands wins whatever the order of loading. What is replaced moves to ``raw_history``; what is
late goes there at once. A withdrawal is a version too.
"""

from __future__ import annotations

from psycopg import sql

from threegaps.ledger.standing_batches import StandingBatches
from threegaps.warehouse.pruning import Months, each_month
from threegaps.warehouse.raw_table import LINEAGE_COLUMNS, ROWS, RawTable
from threegaps.warehouse.tables import ensure_partitions

OUTCOME = sql.Identifier("load_outcome")
FALLEN = "fallen"
"""What the table says of the key stands no longer, and the batch's own version is lower: see `closing`."""

# What each row of the batch does:
#   inserted    its key is new
#   changed     it replaces another row, or opens a closed one
#   withdrawn   as changed, and withdraws
#   raised      it says the same in a higher version
#   repeated    it says the same in the same version
#   late        a higher version stands
#   fallen      see above
_OUTCOME = """
create temporary table {outcome} on commit drop as
select {key_b},
    case
        when {own_replaced} then 'late'
        when r._batch_id is null then case when b._withdrawn then 'withdrawn' else 'inserted' end
        when {closed} then case when not b._withdrawn then 'changed' when {same} then 'raised' else 'withdrawn' end
        when {version_b} < {version_r} then case when {replaced} then {fallen} else 'late' end
        when {same} and {version_b} = {version_r} then case when {replaced} then 'repeated' else 'late' end
        when {same} then 'raised'
        when b._withdrawn then 'withdrawn'
        else 'changed'
    end as outcome,
    r._batch_id is not null as is_known,
    coalesce(not {closed} and not {replaced}, false) as has_standing,
    coalesce({same}, false) as is_same
from {rows} as b left join {raw} as r on {same_key} and {within}
"""


class Merge:
    """The merge of one batch whose rows stand in the temporary table ``load_rows``."""

    def __init__(self, table: RawTable, standing: StandingBatches) -> None:
        self._table, self._standing = table, standing
        self._months: Months = ()

    def run(self) -> dict[str, int]:
        """Merge; how many rows had which outcome."""
        table = self._table
        table.run("analyze {rows}")
        self._months = table.pruning.months_in(ROWS)
        if table.contract.partition_column is not None:
            ensure_partitions(table.connection, table.contract, each_month(self._months))
        self._judge()
        self._keep_history()
        self._note_touched()
        self._upsert()
        self._note_months_of_delivery()
        counts = table.run("select outcome, count(*) from {outcome} group by outcome", outcome=OUTCOME).fetchall()
        return {str(row[0]): int(row[1]) for row in counts}

    def _judge(self) -> None:
        table = self._table
        content = [column for column in table.columns if column not in LINEAGE_COLUMNS and column not in table.key]
        own_replaced = table.is_replaced("b", self._standing) if self._standing.is_replaced else sql.SQL("false")
        table.run(
            _OUTCOME,
            outcome=OUTCOME,
            key_b=table.qualified("b", table.key),
            own_replaced=own_replaced,
            closed=table.is_closed("r"),
            same=sql.SQL("(row({}) is not distinct from row({}))").format(
                table.qualified("b", content), table.qualified("r", content)
            ),
            version_b=table.version("b"),
            version_r=table.version("r"),
            replaced=table.is_replaced("r", self._standing),
            fallen=sql.Literal(FALLEN),
            same_key=table.same_key("b", "r"),
            within=table.pruning.within("r", self._months),
        )
        table.run("analyze {outcome}", outcome=OUTCOME)

    def _note_touched(self) -> None:
        """Touch the old and the new image of what changes."""
        table = self._table
        changing = sql.SQL("{} and {}").format(
            table.pruning.within("b", self._months), self._outcome_is("changed", "withdrawn")
        )
        table.note_touched(table.raw, changing)
        table.note_touched(ROWS, self._outcome_is("inserted", "changed", "withdrawn"))

    def _note_months_of_delivery(self) -> None:
        """Touch the months of rows that changed nothing, where no batch of the delivery has touched them yet.

        Such a row may be the delivery's now, or become it again. Closing and retracting look for a delivery's rows only
        in the months that it has touched.
        """
        table = self._table
        missing = table.pruning.untouched(self._months, table.touched)
        if missing:
            table.note_touched(ROWS, table.pruning.within("b", missing))

    def _keep_history(self) -> None:
        """Move what is replaced to history; so too what stands below a row that only repeats it."""
        table = self._table
        table.run(
            "insert into {history} ({columns}, _superseded_by_batch_id) select {columns_r}, {batch}"
            " from {raw} as r join {outcome} as o on {same_key}"
            " where (o.outcome in ('changed', 'withdrawn') and o.is_known"
            " or o.outcome = 'raised' and o.has_standing) and {within}",
            columns_r=table.qualified("r", table.columns),
            outcome=OUTCOME,
            same_key=table.same_key("o", "r"),
            within=table.pruning.within("r", self._months),
        )
        # What came too late was never current: history says that the batch itself was behind.
        table.run(
            "insert into {history} ({columns}, _superseded_by_batch_id)"
            " select {columns_b}, coalesce(r._batch_id, {batch})"
            " from {rows} as b join {outcome} as o on {same_key} left join {raw} as r on {same_raw} and {within}"
            " where o.outcome in ('late', {fallen})",
            columns_b=table.qualified("b", table.columns),
            outcome=OUTCOME,
            fallen=sql.Literal(FALLEN),
            same_key=table.same_key("o", "b"),
            same_raw=table.same_key("b", "r"),
            within=table.pruning.within("r", self._months),
        )

    def _upsert(self) -> None:
        table = self._table
        values = [column for column in table.columns if column not in table.key]
        table.run(
            "insert into {raw} ({columns}) select {columns_b} from {rows} as b join {outcome} as o on {same_key}"
            " where o.outcome in ('inserted', 'changed', 'withdrawn', 'raised', 'repeated')"
            " on conflict ({key}) do update set {assignments}",
            columns_b=table.qualified("b", table.columns),
            outcome=OUTCOME,
            same_key=table.same_key("o", "b"),
            assignments=sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in values
            ),
        )

    def _outcome_is(self, *outcomes: str) -> sql.Composed:
        return sql.SQL("exists (select 1 from {} as o where {} and o.outcome in ({}))").format(
            OUTCOME, self._table.same_key("o", "b"), sql.SQL(", ").join(map(sql.Literal, outcomes))
        )
