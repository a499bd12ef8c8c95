"""A release applies the difference and no more; readers see one release in each answer."""

from __future__ import annotations

import threading

import psycopg
import pytest

from tests.integration.release.small_marts import A, B, P, release, rows
from threegaps.errors import ReleaseError
from threegaps.release import history

pytestmark = pytest.mark.integration
READER = "reader"
WAITING_READERS = (
    "select l.mode, l.relation::regclass::text, pg_blocking_pids(l.pid)::text from pg_locks as l"
    " join pg_stat_activity as a using (pid)"
    " where not l.granted and a.application_name = %s and a.datname = current_database()"
)


def test_only_the_difference_is_applied_and_the_replaced_is_kept(marts: str) -> None:
    first = release(marts, {A: 20, B: 30})
    second = release(marts, {A: 21, B: 30, P: 51})
    third = release(marts, {A: 21, P: 51})
    assert [(o.inserted, o.changed, o.removed) for o in (first, second, third)] == [(4, 0, 0), (2, 2, 0), (0, 0, 2)]
    assert rows(
        marts, "select area_code, value::int, release_id, value_release_id from marts.indicator_value order by 1"
    ) == [("330000", 51, 3, 2), ("330102", 21, 3, 2)]
    assert rows(
        marts, "select area_code, value::int, release_from, release_to from history.indicator_value order by 1"
    ) == [("330102", 20, 1, 2), ("330103", 30, 1, 3)]
    with psycopg.connect(marts) as connection:
        for number, expected in ((1, {20, 30}), (2, {21, 30, 51}), (3, {21, 51})):
            connection.execute("select history.as_of(%s)", [number])
            said = connection.execute("select value::int from history.indicator_value_at").fetchall()
            assert {row[0] for row in said} == expected
    assert [d.area_code for d in history.difference(marts, 1, 2)] == ["330000", "330102"]
    assert [(d.value_before, d.value_after) for d in history.difference(marts, 2)] == [(30, None)]
    with pytest.raises(ReleaseError, match="no release 9"):
        history.difference(marts, 9)


def test_a_release_of_the_same_changes_no_row(marts: str) -> None:
    release(marts, {A: 20, B: 30})
    before = rows(marts, "select ctid, xmin, * from marts.indicator_value_stored")
    outcome = release(marts, {A: 20, B: 30})
    assert (outcome.inserted, outcome.changed, outcome.removed) == (0, 0, 0)
    assert rows(marts, "select ctid, xmin, * from marts.indicator_value_stored") == before
    assert rows(marts, "select distinct release_id, value_release_id from marts.indicator_value") == [(2, 1)]


def test_readers_see_one_release_in_each_answer(marts: str) -> None:
    """100 releases, eight readers: no error, no mixture, and no reader ever waits for a lock."""
    areas = [f"3301{number:02d}" for number in range(1, 60)]
    cells = {("M01-3", area): 0 for area in areas}
    release(marts, cells)  # type: ignore[arg-type]
    ended = threading.Event()
    faults: list[str] = []
    answers = [0] * 8
    samples = 0

    def read(number: int) -> None:
        try:
            with psycopg.connect(marts, autocommit=number % 2 == 0, application_name=READER) as connection:
                # They do not take the cores from the releases: several answers of each reader fall into every one.
                while not ended.wait(0.005):
                    if connection.autocommit:
                        answer = connection.execute(
                            "select min(release_id), max(release_id), min(value), max(value), count(*),"
                            " (select min(m01_3) from marts.action_1_bright_future) from marts.indicator_value"
                        ).fetchone()
                    else:
                        connection.execute("set transaction isolation level repeatable read")
                        cell = connection.execute(
                            "select min(release_id), max(release_id), min(value), max(value), count(*)"
                            " from marts.indicator_value"
                        ).fetchone()
                        wide = connection.execute("select min(m01_3) from marts.action_1_bright_future").fetchone()
                        answer = (*(cell or ()), *(wide or ()))
                        connection.rollback()
                    answers[number] += 1
                    # The n-th release says n - 1 in every cell.
                    first, last, low, high, count, wide_low = answer or (0,) * 6
                    if not (first == last and low == high == wide_low == first - 1 and count == len(areas)):
                        faults.append(f"{answer}")
        except psycopg.Error as error:
            faults.append(str(error))

    def watch() -> None:
        nonlocal samples
        with psycopg.connect(marts, autocommit=True) as connection:
            while not ended.wait(0.002):
                samples += 1
                faults.extend(f"waits: {row}" for row in connection.execute(WAITING_READERS, [READER]))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    threads.append(threading.Thread(target=watch))
    for thread in threads:
        thread.start()
    for number in range(1, 101):
        release(marts, dict.fromkeys(cells, number))  # type: ignore[misc]
    ended.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert min(answers) > 20
    assert samples > 100, "a sample or more a release"
    assert rows(marts, "select count(*) from history.indicator_value") == [(100 * len(areas),)]


def test_a_reader_that_waits_for_a_lock_is_seen(marts: str) -> None:
    """What the test above looks for is there to be found."""
    release(marts, {A: 20})
    with psycopg.connect(marts) as rebuilding, psycopg.connect(marts, application_name=READER) as reading:
        rebuilding.execute("lock table marts.indicator_value_stored in access exclusive mode")
        reader = threading.Thread(target=reading.execute, args=("select count(*) from marts.indicator_value",))
        reader.start()
        with psycopg.connect(marts, autocommit=True) as connection:
            while not connection.execute(WAITING_READERS, [READER]).fetchall():
                assert reader.is_alive()
        rebuilding.rollback()
        reader.join()
