"""Refused rows: mended at the source, they come with what is sent later, and nothing waits."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import psycopg
import pytest

from tests.integration.faults.conftest import point_at
from tests.integration.sequences import small_contracts
from tests.integration.sequences.model import Kind, Model, Row
from tests.integration.sequences.scene import Scene
from tests.integration.sequences.test_sequences import MONTHS, Run, open_refusals
from threegaps import feed_run
from threegaps.ledger import tickets

pytestmark = pytest.mark.integration

FEED = small_contracts.CHANGES
WRONG = Row("a", "2026-01", "none", 1)


def refused(dsn: str) -> list[tuple[int, int | None]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select batch_id, closed_by_batch_id from quarantine.refused_row order by batch_id, row_number"
        ).fetchall()


def ticket_of_all(dsn: str, folder: Path) -> int:
    """A ticket that asks about all that is refused."""
    file = folder / "refused.csv"
    file.touch()
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select feed, row_token, batch_id from quarantine.refused_row").fetchall()
        return tickets.open_ticket(
            connection,
            rows[0][0],
            [(token, batch_id) for _, token, batch_id in rows],
            sent_to="a department",
            sent_by="a test",
            file=file,
            at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        )


def outcome(dsn: str, ticket: int) -> str:
    """How the ticket's one row stands."""
    with psycopg.connect(dsn) as connection:
        one = tickets.find_ticket(connection, ticket)
    states = (one.open_rows, one.left_out_rows, one.unknown_rows, one.mended_at is not None)
    return ("open", "left out", "unknown", "mended")[states.index(1)]


@pytest.mark.parametrize("feed", [small_contracts.PERIODS, small_contracts.LISTS])
def test_a_row_of_a_whole_delivery_is_followed_however_it_comes_again(scene: Scene, feed: str, tmp_path: Path) -> None:
    scene.clear()
    kind: Kind = "full_period" if feed == small_contracts.PERIODS else "full_list"
    run = Run(scene, feed, kind, Model(kind, 0.5, 10))
    first, second = MONTHS[kind]
    others = tuple(Row(key, "2026-01", "1") for key in "bcde")
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, scene.dsn, scene.landing)

        def send(delivery: str, *rows: Row) -> None:
            run._send(delivery, ((*rows, *others),), 6)
            run.load()

        send(first, Row("a", "2026-01", "none"))
        ticket = ticket_of_all(scene.dsn, tmp_path)
        found = [outcome(scene.dsn, ticket)]
        for number in ("nil", None, "7", "none", None):
            send(first, *([] if number is None else [Row("a", "2026-01", number)]))
            found.append(outcome(scene.dsn, ticket))
        assert found == ["open", "open", "left out", "mended", "open", "left out"]
        # So it is where it comes right with a later delivery.
        send(second, Row("a", "2026-01", "7"))
        assert outcome(scene.dsn, ticket) == "mended"


@pytest.mark.parametrize(
    ("later", "closed_by"),
    [
        (Row("a", "2026-01", "7", 2), 2),
        (Row("a", "2026-01", "7", 2, True), 2),
        (Row("b", "2026-01", "7", 2), None),
        (Row("a", "2026-01", "none", 2), None),
        (Row("a", "2026-01", "nil", 2), None),
    ],
    ids=["mended", "withdrawn", "another key", "as wrong as before", "wrong in another way"],
)
def test_a_later_window_settles_what_it_mends(scene: Scene, later: Row, closed_by: int | None, tmp_path: Path) -> None:
    scene.clear()
    run = Run(scene, FEED, "changes", Model("changes", 0.5, 10))
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, scene.dsn, scene.landing)
        run._send("", ((WRONG, Row("c", "2026-01", "1", 1)),), 0)
        run.load()
        ticket = ticket_of_all(scene.dsn, tmp_path)
        assert outcome(scene.dsn, ticket) == "open"
        run._send("", ((later,),), 0)
        run.load()
        assert refused(scene.dsn)[0] == (1, closed_by)
        assert outcome(scene.dsn, ticket) == ("mended" if closed_by else "open")
        with psycopg.connect(scene.dsn) as connection:
            kept = connection.execute("select key_hash, row_data::text from quarantine.refused_row").fetchall()
        assert all(len(key_hash) == 32 for key_hash, _ in kept)
        point_at(patch, scene.anew, scene.landing)
        list(feed_run.rebuild())
    assert open_refusals(scene.anew) == open_refusals(scene.dsn)
