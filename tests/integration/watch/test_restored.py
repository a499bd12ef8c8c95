"""A warehouse that has gone back to a backup: what was told since is not told again, and its ends still are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.watch.conftest import HEALTHY, Airflow, Installation, fail_build, own, release_build
from tests.receivers import Answer, WebReceiver
from threegaps.ledger import incidents
from threegaps.one_machine.postgres import PostgresServer
from threegaps.watch import heartbeat, journal, told
from threegaps.watch.journal import RESTORED
from threegaps.watch.message import Message
from threegaps.watch.service import Watch
from threegaps.watch.told import Told, note_of

pytestmark = pytest.mark.integration

ALERTS = """
version: 1
quiet_hours: never
channels:
  desk: {{kind: webhook, url: "{url}"}}
routes:
  - channels: [desk]
digest: {{channels: [desk]}}
"""


class Restorable:
    """A warehouse that is backed up, lost and restored."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def _do(self, *statements: str) -> None:
        with psycopg.connect(self._server.dsn(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def back_up(self) -> None:
        self._do("create database backup template warehouse owner pipeline")

    def lose(self) -> None:
        self._do("drop database warehouse with (force)")

    def restore(self) -> None:
        self._do("create database warehouse template backup owner pipeline")


def told_by(web: WebReceiver) -> list[tuple[str, str]]:
    return [(one.data["change"], str(one.data["content"].get("kind", ""))) for one in web.taken]


@pytest.mark.parametrize(("is_early", "is_restarted"), [(True, True), (False, False)])
def test_what_was_told_before_a_restore_is_not_told_again(
    server: PostgresServer, tmp_path: Path, airflow: Airflow, web: WebReceiver, is_early: bool, is_restarted: bool
) -> None:
    one, database = own(server, tmp_path, airflow), Restorable(server)
    (tmp_path / "alerts.yaml").write_text(ALERTS.format(url=web.url("/desk")), encoding="utf-8")
    one.watch.close()
    one.watch = Watch(one.settings)
    if is_early:
        database.back_up()
    airflow.health["triggerer"] = {"status": "unhealthy"}
    one.passes(120)
    if not is_early:
        database.back_up()
    airflow.health = dict(HEALTHY)
    one.passes(120)
    airflow.health["triggerer"] = {"status": "unhealthy"}
    fail_build(one)
    one.passes(150)
    opened = [*one.open()]
    with one.connect() as connection:
        at = {found.cause_key: found.opened_at for found in incidents.open_incidents(connection)}
        incidents.acknowledge(connection, one.incidents()[-1].incident_id, by="wang", at=one.now)
    one.passes(15)
    before = told_by(web)
    assert sorted(before) == sorted(
        [
            *(("digest", ""), ("opened", "airflow_down"), ("closed", "airflow_down")),
            *(("opened", "airflow_down"), ("opened", "build_failed")),
        ]
    )
    database.lose()
    one.passes(30)
    if is_restarted:
        one.watch.close()
        one.watch = Watch(one.settings)
    database.restore()
    fail_build(one)
    one.passes(300)
    assert told_by(web) == before
    assert sorted(set(one.open())) == sorted(opened)
    with one.connect() as connection:
        known = {found.cause_key: found for found in incidents.open_incidents(connection)}
    assert {key: found.opened_at for key, found in known.items()} == at
    assert [found.acknowledged_by for found in known.values() if found.acknowledged_by] == ["wang"]
    # Their ends are told to those who know of the openings, in their threads.
    airflow.health = dict(HEALTHY)
    release_build(one)
    one.passes(120)
    closings = [request.data for request in web.taken[len(before) :]]
    assert sorted(one["content"]["kind"] for one in closings) == ["airflow_down", "build_failed"]
    openings = {request.data["message_id"] for request in web.taken if request.data["change"] == "opened"}
    assert {one["reply_to"] for one in closings} <= openings
    assert len(web.taken) == len({request.data["message_id"] for request in web.taken})


def changed(one: Installation, name: str, *, is_down: bool) -> None:
    one.airflow.health = dict(HEALTHY) | ({name: {"status": "unhealthy"}} if is_down else {})
    one.passes(120)


def restored(one: Installation, database: Restorable) -> None:
    database.lose()
    one.watch.close()
    database.restore()


def watch_of(one: Installation, home: Path, web: WebReceiver) -> Watch:
    """Another process, which may be of another home."""
    home.mkdir(exist_ok=True)
    (home / "alerts.yaml").write_text(ALERTS.format(url=web.url("/desk")).partition("digest")[0], encoding="utf-8")
    one.watch.close()
    one.environment["THREEGAPS_HOME"] = str(home)
    one.watch = Watch(one.settings)
    return one.watch


@pytest.mark.parametrize("is_resolved", [False, True])
def test_what_stands_open_in_a_backup_and_was_told_as_closed_swallows_no_new_outage(
    server: PostgresServer, tmp_path: Path, airflow: Airflow, web: WebReceiver, is_resolved: bool
) -> None:
    one, database = own(server, tmp_path, airflow), Restorable(server)
    watch_of(one, tmp_path, web)
    changed(one, "triggerer", is_down=True)
    database.back_up()
    if is_resolved:
        with one.connect() as connection:
            incidents.resolve(connection, 1, by="wang", why="replaced", at=one.now)
        one.passes(30)
    else:
        changed(one, "triggerer", is_down=False)
    assert told_by(web) == [("opened", "airflow_down"), ("closed", "airflow_down")]
    restored(one, database)
    assert [incident.closed_at for incident in one.incidents()] == [None]
    one.watch = Watch(one.settings)
    changed(one, "triggerer", is_down=True)
    one.passes(300)
    old, *new = one.incidents()
    assert old.closed_at is not None
    if is_resolved:
        # What somebody has resolved is no news as long as it lasts, also after the restore.
        assert (old.closed_by, old.resolution, new) == ("wang", "replaced", [])
        assert len(told_by(web)) == 2
        return
    assert (old.closed_by, old.resolution) == ("watch", RESTORED)
    assert [incident.closed_at for incident in new] == [None]
    assert told_by(web) == [("opened", "airflow_down"), ("closed", "airflow_down"), ("opened", "airflow_down")]
    changed(one, "triggerer", is_down=False)
    assert told_by(web)[3:] == [("closed", "airflow_down")]
    assert web.taken[3].data["reply_to"] == web.taken[2].data["message_id"]
    assert len({request.data["message_id"] for request in web.taken}) == 4


@pytest.mark.parametrize("damage", ["", "{", None])
def test_a_spoilt_journal_is_made_anew_of_what_was_told(
    server: PostgresServer, tmp_path: Path, airflow: Airflow, web: WebReceiver, damage: str | None
) -> None:
    one, database = own(server, tmp_path, airflow), Restorable(server)
    watch_of(one, tmp_path, web)
    database.back_up()
    fail_build(one)
    changed(one, "triggerer", is_down=True)
    changed(one, "triggerer", is_down=False)
    changed(one, "scheduler", is_down=True)
    before = [incident for incident in one.incidents() if incident.closed_at is None]
    assert sorted(incident.cause_key for incident in before) == ["airflow_down", "build_failed"]
    assert len(told_by(web)) == 4
    one.watch.close()
    path = journal.journal_path(one.watch.folder)
    path.unlink() if damage is None else path.write_text(damage, encoding="utf-8")
    # While the warehouse is away, the notes alone say what was told.
    database.lose()
    one.watch = Watch(one.settings)
    found = {incident.cause_key: incident for incident in one.watch.journal.open}
    assert {key: incident.opened_at for key, incident in found.items()} == {
        incident.cause_key: incident.opened_at for incident in before
    }
    assert {(incident.title_zh, incident.gravity) for incident in found.values()} == {
        (incident.title_zh, incident.gravity) for incident in before
    }
    one.passes(180)
    assert [change for change in told_by(web)[4:] if change[1] != "warehouse_down"] == []
    database.restore()
    fail_build(one)
    one.passes(180)
    assert [change for change in told_by(web)[4:] if change[1] != "warehouse_down"] == []
    release_build(one)
    changed(one, "scheduler", is_down=False)
    ends = [request.data for request in web.taken[4:] if request.data["content"]["kind"] != "warehouse_down"]
    assert sorted((end["change"], end["content"]["kind"]) for end in ends) == [
        ("closed", "airflow_down"),
        ("closed", "build_failed"),
    ]
    assert {end["reply_to"] for end in ends} <= {request.data["message_id"] for request in web.taken[:4]}


def test_a_watch_of_another_home_knows_what_the_first_one_sent_before_a_restore(
    server: PostgresServer, tmp_path: Path, airflow: Airflow, web: WebReceiver
) -> None:
    one, database = own(server, tmp_path, airflow), Restorable(server)
    watch_of(one, tmp_path / "first", web)
    database.back_up()
    changed(one, "triggerer", is_down=True)
    changed(one, "triggerer", is_down=False)
    fail_build(one)
    one.passes(150)
    before = told_by(web)
    assert len(before) == 3
    # One pass is enough to take over what the outbox says.
    watch_of(one, tmp_path / "second", web)
    one.passes(15)
    restored(one, database)
    one.watch = Watch(one.settings)
    fail_build(one)
    one.passes(300)
    assert told_by(web) == before
    release_build(one)
    one.passes(120)
    assert told_by(web) == [*before, ("closed", "build_failed")]


def test_a_warehouse_that_breaks_off_after_a_message_went_out_does_not_have_it_sent_again(
    installation: Installation, tmp_path: Path, web: WebReceiver
) -> None:
    (tmp_path / "alerts.yaml").write_text(ALERTS.format(url=web.url("/desk")).partition("digest")[0], encoding="utf-8")
    installation.watch.close()
    installation.watch = Watch(installation.settings)
    killed: list[int] = []

    def answer(_: Any) -> Answer:
        if not killed:
            killed.append(1)
            installation.enter(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'threegaps watch'"
                " and datname = current_database() and pid <> pg_backend_pid()"
            )
        return Answer()

    web.answer = answer
    fail_build(installation)
    installation.passes(150)
    assert killed
    assert told_by(web) == [("opened", "build_failed")]
    assert installation.enter("select sent_at is not null from ops.outbox") == [(True,)]


def test_a_note_outlives_a_damaged_line_a_full_disk_and_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = dt.datetime(2026, 7, 21, 10, 0, tzinfo=dt.UTC)

    def note(number: int, at: dt.datetime) -> told.Note:
        message = Message(f"{number}@threegaps", None, "digest", "notice", "日报", "文")
        return note_of(message, "desk", sent_as=message.message_id, sent_at=at)

    book = Told(tmp_path)
    book.add([note(1, now), note(1, now)])
    path = told.told_path(tmp_path)
    with path.open("ab") as file:
        file.write(b'{"message_id": "2@thr\xff')
    book.add([note(3, now)])
    again = Told(tmp_path)
    assert [bool(again.get(f"{number}@threegaps")) for number in (1, 2, 3)] == [True, False, True]
    # What cannot be written is remembered, and written with the next.
    path.rename(tmp_path / "kept")
    path.mkdir()
    again.add([note(4, now)])
    assert again.problem
    path.rmdir()
    (tmp_path / "kept").rename(path)
    again.add([note(5, now)])
    assert not again.problem
    assert [bool(Told(tmp_path).get(f"{number}@threegaps")) for number in (1, 3, 4, 5)] == [True] * 4
    again.forget_old(now + told.KEPT - dt.timedelta(seconds=1))
    assert Told(tmp_path).get("1@threegaps")
    again.add([note(6, now + told.KEPT)])
    # A clock that is years ahead for once makes nothing forgotten.
    again.forget_old(now + 30 * told.KEPT)
    assert Told(tmp_path).get("1@threegaps")
    monkeypatch.setattr(told, "KEPT_AT_LEAST", 1)
    again.forget_old(now + told.KEPT)
    assert [bool(Told(tmp_path).get(f"{number}@threegaps")) for number in (1, 6)] == [False, True]


def test_a_loss_of_notes_is_said_once_in_the_log_and_in_the_status(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str], web: WebReceiver
) -> None:
    watch_of(installation, tmp_path, web)
    fail_build(installation)
    installation.passes(120)
    path = told.told_path(installation.watch.folder)
    assert len(told_by(web)) == 1

    def said() -> list[str]:
        beat = heartbeat.last_beat(installation.settings)
        assert beat is not None
        return [str(one) for one in beat.not_looked_at if "told.jsonl" in str(one)]

    # A line that is damaged, and a file that is none.
    for number, (damage, words) in enumerate(
        [
            (lambda: path.write_text("{broken\n", encoding="utf-8"), "1 of 1 lines are damaged"),
            (lambda: (path.unlink(), path.mkdir()), "the file cannot be read"),
        ],
        1,
    ):
        installation.watch.close()
        damage()
        installation.watch = Watch(installation.settings)
        installation.passes(15)
        assert [words in one for one in said()] == [True]
        installation.passes(60)
        assert said() == []
        assert capsys.readouterr().err.count("told.jsonl") == 1
        assert path.with_name("told.jsonl.damaged").exists(), number
        # The outbox says what the file has lost.
        assert [note.change for note in Told(installation.watch.folder).by_incident().popitem()[1]] == ["opened"]
        aside = path.with_name("told.jsonl.damaged")
        aside.rmdir() if aside.is_dir() else aside.unlink()
    # What cannot be written is said as long as it is so, and once in the log.
    path.unlink()
    path.mkdir()
    release_build(installation)
    installation.passes(180)
    assert [one.startswith("told.jsonl: ") for one in said()] == [True]
    assert capsys.readouterr().err.count("told.jsonl") == 1
