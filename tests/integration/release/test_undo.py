"""An undo says the old again; what it undid is held, and work goes on around it."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest

from tests.integration.release.small_marts import A, B, P, new_batch, release, rows, served, small_manifest
from threegaps.errors import ReleaseError
from threegaps.ledger.batches import pending_batches
from threegaps.marts.affected import Slice
from threegaps.release import history, holds, undo

pytestmark = pytest.mark.integration


def test_an_undo_says_the_old_again_and_holds_what_came(marts: str) -> None:
    first_batch = new_batch(marts)
    release(marts, {A: 20, B: 30, P: 50}, batches=[first_batch])
    batch = new_batch(marts, county="330102")
    release(marts, {A: 99, B: 30, P: 129}, batches=[batch])
    assert undo.undo(marts, note="wrong file", manifest=small_manifest()) == 3
    assert served(marts) == {A: 20, B: 30, P: 50}
    assert rows(marts, "select distinct release_id from marts.indicator_value") == [(3,)]
    assert rows(marts, "select area_code, value_release_id from marts.indicator_value order by 1") == [
        ("330000", 3),
        ("330102", 3),
        ("330103", 1),
    ]
    assert history.difference(marts, 1) == [], "the same, though another release says it"
    assert rows(marts, "select batch_id, model, held_by_release_id from ops.hold") == [(batch, None, 3)]
    with psycopg.connect(marts) as connection:
        assert pending_batches(connection) == []
    # Other work goes on, but what the held batch reaches stays as it is.
    release(marts, {A: 99, B: 31, P: 130})
    assert served(marts) == {A: 20, B: 31, P: 50}
    assert holds.free(marts, batches=[batch]) == 1
    with psycopg.connect(marts) as connection:
        assert pending_batches(connection) == [batch]
    release(marts, {A: 99, B: 31, P: 130}, batches=[batch])
    assert served(marts) == {A: 99, B: 31, P: 130}


def test_a_hold_reaches_every_period_that_it_overlaps(marts: str) -> None:
    june = Slice("M01-3", "330102", dt.date(2026, 6, 1), dt.date(2026, 6, 30))
    with psycopg.connect(marts) as connection:
        assert holds.note_held(connection, [june])
        held = connection.execute("select period_type, period_end from held_slice order by 1").fetchall()
    assert held == [
        ("month", dt.date(2026, 6, 30)),
        ("quarter", dt.date(2026, 6, 30)),
        ("year", dt.date(2026, 12, 31)),
    ]


def test_undo_goes_back_step_by_step_but_not_before_the_first(marts: str) -> None:
    for value in (1, 2, 3):
        release(marts, {A: 10 * value})
    assert [undo.undo(marts, note="", manifest=small_manifest()) for _ in range(2)] == [4, 5]
    assert served(marts) == {A: 10}
    with pytest.raises(ReleaseError, match="first"):
        undo.undo(marts, note="", manifest=small_manifest())
