"""An undo says the old again; what it undid is held, and work goes on around it."""

from __future__ import annotations

import datetime as dt
import json

import psycopg
import pytest

from tests.integration.release.small_marts import A, B, P, new_batch, release, rows, served, small_manifest
from threegaps.cli import queries, releases, status_page
from threegaps.errors import ReleaseError
from threegaps.ledger.batches import pending_batches
from threegaps.marts.affected import Slice
from threegaps.release import history, holds, undo
from threegaps.settings import Settings

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
    done = holds.free(marts, batches=[batch])
    assert [hold.batch_id for hold in done.freed] == [batch]
    assert done.still_held == ()
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


def undone(dsn: str) -> tuple[int, int, int]:
    """Two batches of different counties, released and undone: their numbers, and the undo's."""
    release(dsn, {A: 20, B: 30, P: 50}, batches=[new_batch(dsn)])
    first, second = new_batch(dsn, county="330102"), new_batch(dsn, county="330103")
    release(dsn, {A: 99, B: 88, P: 187}, batches=[first, second])
    return first, second, undo.undo(dsn, note="wrong file", manifest=small_manifest())


def held(dsn: str) -> tuple[holds.Hold, ...]:
    with psycopg.connect(dsn) as connection:
        return holds.held(connection)


def test_who_frees_one_batch_is_told_what_still_holds_the_same_figures(marts: str) -> None:
    first, second, undoing = undone(marts)
    before = held(marts)
    assert [(hold.name, hold.keeps_back) for hold in before] == [(f"batch {first}", ()), (f"batch {second}", ())]
    assert [hold.indicators for hold in before] == [("M01-3", "M01-5")] * 2
    done = holds.free(marts, batches=[first])
    assert [hold.name for hold in done.still_reaching] == [f"batch {second}"], "the province's figure is of both"
    assert done.still_reaching[0].held_by_release_id == undoing
    release(marts, {A: 99, B: 88, P: 187}, batches=[first])
    assert served(marts) == {A: 99, B: 30, P: 50}, "what was said is true: the province stays"
    assert [hold.keeps_back for hold in held(marts)] == [(f"batch {first}",)]
    rest = holds.free(marts, releases=[undoing])
    assert ([hold.name for hold in rest.freed], rest.still_held) == ([f"batch {second}"], ())
    release(marts, {A: 99, B: 88, P: 187}, batches=[second])
    assert served(marts) == {A: 99, B: 88, P: 187}


def test_what_is_freed_of_other_days_holds_nothing_back(marts: str) -> None:
    first, second, _ = undone(marts)
    with psycopg.connect(marts) as connection:
        connection.execute(
            "update ops.touch set period_from = '2024-01-01', period_to = '2024-01-31' where batch_id = %s", [first]
        )
    done = holds.free(marts, batches=[first])
    assert [hold.name for hold in done.still_held] == [f"batch {second}"]
    assert done.still_reaching == ()


def test_all_are_freed_or_none_of_what_is_named_wrongly(marts: str) -> None:
    with pytest.raises(ReleaseError, match="Nothing is held back"):
        holds.free(marts, everything=True)
    first, second, undoing = undone(marts)
    for wrong in ({"batches": [first, 999]}, {"models": ["no_model"]}, {"releases": [undoing - 1]}):
        with pytest.raises(ReleaseError, match="Nothing was freed") as refused:
            holds.free(marts, **wrong)
        assert f"batch {second}" in str(refused.value)
    assert len(held(marts)) == 2
    assert len(holds.free(marts, everything=True).freed) == 2
    assert held(marts) == ()


def test_the_command_says_it_plainly_with_the_command_for_the_rest(
    marts: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, undoing = undone(marts)
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: marts)
    with pytest.raises(ReleaseError, match=f"Held back: batch {first}, batch {second}"):
        releases.free_held()
    releases.free_held(batches=[first])
    said = capsys.readouterr().out
    assert f"Freed: batch {first}." in said
    assert f"batch {second} of the undo {undoing} still hold the same ones (M01-3, M01-5)" in said
    assert f"`threegaps release free --release {undoing}` frees the rest." in said
    releases._tell_what_is_held(Settings.load())
    told = capsys.readouterr().out
    assert f"Held back by undos: batch {second}" in told
    assert f"not to be seen until these are too: batch {first}." in told
    status_page.print_rows([status_page._held_line(one) for one in queries.held(Settings.load())], title="Held")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[-1] == [
        str(second), "a/b", "2026-06", str(undoing), "wrong", "file", "2", "batch", str(first)
    ]  # fmt: skip
    releases.free_held(everything=True, json_=True)
    assert json.loads(capsys.readouterr().out) == {"freed": 1, "still_held": []}
