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
from threegaps.watch import told
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
