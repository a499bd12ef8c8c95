"""What no longer stands: rows that a delivery lacks, and what a superseded batch said.

Where something else goes on saying a row, that is restored from history; otherwise the row is closed.
"""

from __future__ import annotations

from psycopg import sql

from threegaps.calendar import version_of_list
from threegaps.ledger.standing_batches import StandingBatches
from threegaps.warehouse.merge import FALLEN, OUTCOME
from threegaps.warehouse.raw_table import CLOSED_ROW_NUMBER, RawTable

_GONE = sql.Identifier("load_gone")
_RETRACTED = sql.Identifier("load_retracted")
_RESTORED = sql.Identifier("load_restored")
_LAST_SAID = sql.Identifier("load_last_said")


class Closing:
    """What one batch takes away, given what stands once it is loaded."""

    def __init__(self, table: RawTable, standing: StandingBatches) -> None:
        self._table, self._standing = table, standing

    def retract(self) -> None:
        """Take back what the superseded batch said, and closed: what stands without it stands again.

        To be called before the rows of its successor are merged; `close_again` follows after all.
        """
        table = self._table
        table.run(
            "create temporary table {retracted} on commit drop as select * from {raw} as b"
            " where b._batch_id = {superseded} and {within}",
            retracted=_RETRACTED,
            superseded=sql.Literal(table.supersedes_batch_id),
            within=table.pruning.within("b", table.pruning.months_of_delivery()),
        )
        is_row = sql.SQL("not {}").format(table.is_closed("b"))
        table.note_touched(_RETRACTED, is_row)
        table.run(
            "insert into {history} ({columns}, _superseded_by_batch_id) select {columns}, {batch} from {retracted} as b"
            " where {is_row}",
            retracted=_RETRACTED,
            is_row=is_row,
        )
        self._delete_from_raw(_RETRACTED)
        self._restore(_RETRACTED)

    def close_absent(self) -> int:
        """Close what the batch, as the whole of a complete delivery, does not have; how many rows that are.

        So too where it has a row in a lower version than the one that it replaces (its outcome is ``fallen``).
        """
        if not self._standing.is_replacing:
            return 0
        table = self._table
        # A full list closes whatever it does not have, in all months.
        is_list = table.contract.delivery_kind == "full_list"
        months = None if is_list else table.pruning.months_of_delivery(table.touched)
        table.run(
            "create temporary table {gone} on commit drop as select b.*, fallen.outcome is not null as is_fallen"
            " from {raw} as b left join (select {key}, outcome from {outcome} where outcome = {fallen}) as fallen"
            " on {same_fallen} where {within} and not {closed} and {replaced}"
            " and (fallen.outcome is not null or not exists (select 1 from {rows} as s where {same_key}))",
            gone=_GONE,
            outcome=OUTCOME,
            fallen=sql.Literal(FALLEN),
            same_fallen=table.same_key("fallen", "b"),
            within=table.pruning.within("b", months),
            closed=table.is_closed("b"),
            replaced=table.is_replaced("b", self._standing),
            same_key=table.same_key("s", "b"),
        )
        counted = table.run(
            "select count(*) filter (where not is_fallen and not _withdrawn) from {gone}", gone=_GONE
        ).fetchone()
        table.note_touched(_GONE, sql.SQL("true"))
        table.run(
            "insert into {history} ({columns}, _superseded_by_batch_id) select {columns}, {batch} from {gone}",
            gone=_GONE,
        )
        self._delete_from_raw(_GONE)
        self._restore(_GONE)
        self._insert_closed(_GONE)
        return int(counted[0]) if counted else 0

    def close_again(self) -> None:
        """Close what was retracted, is said by nobody now, and was said by a batch that counts."""
        table = self._table
        table.run(
            "create temporary table {last_said} on commit drop as select distinct on ({key}) h.* from {history} as h"
            " join (select distinct {key} from {retracted}) as wanted using ({key})"
            " where {loaded} and not {closed} order by {key}, {version} desc, h._batch_id desc",
            last_said=_LAST_SAID,
            retracted=_RETRACTED,
            loaded=table.is_loaded("h"),
            closed=table.is_closed("h"),
            version=table.version("h"),
        )
        self._insert_closed(_LAST_SAID)

    def _insert_closed(self, rows: sql.Identifier) -> None:
        """Enter the *rows* whose keys have none in the table as closed, by the whole delivery that came last."""
        table, standing = self._table, self._standing
        if standing.last_day is None:
            return
        is_list = table.contract.delivery_kind == "full_list"
        lineage = {
            "_withdrawn": sql.SQL("true"),
            "_batch_id": sql.Literal(table.batch_id),
            "_version": sql.Literal(version_of_list(standing.last_day) if is_list else 0),
            "_landed_object_id": sql.Literal(standing.last_object_id),
            "_row_number": sql.Literal(CLOSED_ROW_NUMBER),
        }
        table.run(
            "insert into {raw} ({columns}) select {values} from {source} as b"
            " where not exists (select 1 from {raw} as r where {same_key} and {within})",
            values=sql.SQL(", ").join(lineage.get(name, sql.Identifier("b", name)) for name in table.columns),
            source=rows,
            same_key=table.same_key("r", "b"),
            within=table.pruning.within("r", table.pruning.months_in(rows)),
        )

    def _delete_from_raw(self, keys: sql.Identifier) -> None:
        table = self._table
        table.run(
            "delete from {raw} as r using {keys} as b where {same_key} and {within}",
            keys=keys,
            same_key=table.same_key("r", "b"),
            within=table.pruning.within("r", table.pruning.months_in(keys)),
        )

    def _restore(self, keys: sql.Identifier) -> None:
        """Move, for each key in *keys*, the highest version in history that stands back to the table."""
        table = self._table
        table.run(
            "create temporary table {restored} on commit drop as"
            " select distinct on ({key}) h.ctid as history_ctid, h.* from {history} as h"
            " join (select distinct {key} from {keys}) as wanted using ({key})"
            " where {loaded} and not {replaced} and not {closed} order by {key}, {version} desc, h._batch_id desc",
            restored=_RESTORED,
            keys=keys,
            loaded=table.is_loaded("h"),
            replaced=table.is_replaced("h", self._standing),
            closed=table.is_closed("h"),
            version=table.version("h"),
        )
        table.note_touched(_RESTORED, sql.SQL("true"))
        table.run("insert into {raw} ({columns}) select {columns} from {restored}", restored=_RESTORED)
        table.run("delete from {history} where ctid in (select history_ctid from {restored})", restored=_RESTORED)
        table.run("drop table {restored}", restored=_RESTORED)
