"""What a batch accepts mends a refusal of the same key that came no later, for the quarantine and for tickets alike."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import psycopg
import pytest

from tests.integration.ledger.test_migrate_tickets import enter_batch
from threegaps.ledger import tickets
from threegaps.warehouse.quarantine import close_settled

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("accepted", "is_mended"), [(1, False), (3, True), (2, True)])
def test_only_what_came_no_earlier_than_the_refusal_mends_it(
    warehouse: str, tmp_path: Path, accepted: int, is_mended: bool
) -> None:
    """The second of three objects was refused; a batch of the three, and a control file, accepts one of them."""
    file = tmp_path / "file"
    file.touch()
    with psycopg.connect(warehouse, autocommit=True) as connection:
        _, refused, _, last = (enter_batch(connection, "a/b", "loaded", None, f"part{n}") for n in range(1, 5))
        connection.execute(
            "insert into ops.batch_object (batch_id, landed_object_id) select %s, number from generate_series(1, 3)"
            " as number",
            [last],
        )
        for batch in (refused, last):
            connection.execute(
                "insert into quarantine.refused_row (row_token, batch_id, feed, delivery, landed_object_id, row_number,"
                " county_code, row_data, reasons, key_hash)"
                " values ('t', %s, 'a/b', '2026', 2, 1, '330106', '{}', '[]', %s)",
                [batch, "k" if batch == refused else "other"],
            )
        now = dt.datetime.now(dt.UTC)
        ticket = tickets.open_ticket(connection, "a/b", [("t", refused)], sent_to="x", sent_by="y", file=file, at=now)
        keys = {"k": accepted, "other": 3}
        close_settled(connection, "a/b", keys, last)
        tickets.note_outcome(connection, "a/b", last, accepted_keys=keys, repairs={}, supersedes_batch_id=None)
        closed = connection.execute("select closed_by_batch_id from quarantine.refused_row order by batch_id")
        assert closed.fetchall() == [(last if is_mended else None,), (None,)], "nor what the batch itself refuses"
        (row,) = tickets.rows_of(connection, ticket)
        assert (row.state, row.accepted_by_batch_id) == (("mended", last) if is_mended else ("open", None))
        kept = connection.execute("select accepted_by_batch_id from ops.ticket_row").fetchall()
        assert kept == [(last if is_mended else None,)]
