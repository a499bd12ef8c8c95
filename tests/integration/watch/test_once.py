"""One message for each change, whatever a channel or the clock does."""

from __future__ import annotations

import datetime as dt
import os
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.integration.watch.conftest import (
    HEALTHY,
    Airflow,
    Installation,
    Kept,
    Way,
    fail_build,
    own,
    postmaster,
    release_build,
    start_again,
)
from threegaps.cli.app import app
from threegaps.ledger import incidents
from threegaps.one_machine.postgres import PostgresServer
from threegaps.watch.message import ChannelError, Message
from threegaps.watch.service import Watch
from threegaps.watch.telling import Telling

pytestmark = pytest.mark.integration


def test_a_channel_that_fails_in_its_own_way_silences_no_other_while_the_warehouse_is_down(
    server: PostgresServer, tmp_path: Path, airflow: Airflow
) -> None:
    class Broken(Kept):
        name = "broken"

        def send(self, message: Message) -> None:
            raise ValueError("label too long")

    one = own(server, tmp_path, airflow)
    before = one.watch.once(one.now)
    assert before.causes == ()
    ways = ("broken", "kept")
    telling = Telling({"broken": Broken(), "kept": one.channel}, lambda _, now: [Way(name, now) for name in ways])
    one.watch.close()
    one.watch = Watch(one.settings, lambda: telling)
    os.kill(postmaster(server), signal.SIGKILL)
    one.passes(120)
    assert one.channel.told() == [("opened", "warehouse_down")]
    (failed,) = [posted for posted in one.watch.journal.posted if posted.channel == "broken"]
    assert failed.tries > 0
    assert failed.retry_at is not None


def test_what_is_resolved_by_hand_is_told_to_those_who_know_of_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)

    def resolve(number: int, by: str) -> int:
        arguments = ["incidents", "resolve", str(number), "--by", by, "--why", "repaired"]
        return CliRunner().invoke(app, arguments).exit_code

    installation.airflow.health["triggerer"] = {"status": "unhealthy"}
    installation.passes(30)
    (untold,) = installation.incidents()
    assert resolve(untold.incident_id, "watch") == 1
    assert resolve(untold.incident_id, "wang") == 0
    installation.airflow.health = dict(HEALTHY)
    installation.passes(60)
    assert installation.channel.messages == []
    fail_build(installation)
    installation.passes(120)
    assert resolve(installation.incidents()[-1].incident_id, "wang") == 0
    # The warning waits for the working hours of the day on which the command was called.
    installation.enter("update ops.outbox set send_after = %s where sent_at is null", installation.now)
    installation.passes(30)
    opening, closing = installation.channel.messages
    assert (closing.change, closing.reply_to) == ("closed", opening.message_id)
    assert "closed by wang: repaired." in closing.text
    assert "由wang已解除:repaired" in closing.text


def test_two_watches_of_one_home_tell_once_also_while_the_warehouse_is_down(
    server: PostgresServer, tmp_path: Path, airflow: Airflow
) -> None:
    one, other = own(server, tmp_path, airflow), own(server, tmp_path, airflow)
    one.passes(15)
    os.kill(postmaster(server), signal.SIGKILL)
    for _ in range(10):
        one.passes(15)
        other.passes(15)
    assert one.channel.told() == [("opened", "warehouse_down")]
    assert other.channel.messages == []
    assert other.watch.passes == 0
    looked = other.watch.once(other.now)
    assert [cause.kind for cause in looked.causes] == ["warehouse_down"]
    assert any("another watch of this home" in reason for reason in map(str, looked.not_looked_at))
    # The first one ends: the other goes on where it was.
    one.watch.close()
    other.passes(60)
    assert other.watch.passes == 4
    assert other.channel.messages == []
    assert [incident.cause_key for incident in other.watch.journal.open] == ["warehouse_down"]


def test_what_is_resolved_by_hand_stays_closed_when_the_watch_was_off(installation: Installation) -> None:
    fail_build(installation)
    installation.passes(120)
    with installation.connect() as connection:
        incidents.resolve(connection, 1, by="wang", why="known", at=installation.now)
    installation.passes(30)
    for _ in range(2):
        installation.now += dt.timedelta(hours=12)
        installation.restart()
        installation.passes(120)
    assert installation.open() == []
    assert installation.channel.told() == [("opened", "build_failed")]


def test_the_end_of_an_incident_goes_to_those_who_were_told_of_it(installation: Installation) -> None:
    fail_build(installation)
    installation.airflow.health["triggerer"] = {"status": "unhealthy"}
    installation.passes(120)
    # Its department, or alerts.yaml, has become another since.
    installation.routed = ["other"]
    installation.airflow.health["scheduler"] = {"status": "unhealthy"}
    installation.passes(30)
    release_build(installation)
    installation.airflow.health = dict(HEALTHY)
    installation.passes(120)
    told = installation.channel.told()
    assert sorted(told[:2]) == [("opened", "airflow_down"), ("opened", "build_failed")]
    assert told[2] == ("worsened", "airflow_down")
    assert sorted(told[3:]) == [("closed", "airflow_down"), ("closed", "build_failed")]
    assert installation.other.told() == [("worsened", "airflow_down"), ("closed", "airflow_down")]


@pytest.mark.parametrize("has_gone_out", [True, False])
def test_so_it_does_while_the_warehouse_is_down(
    server: PostgresServer, tmp_path: Path, airflow: Airflow, has_gone_out: bool
) -> None:
    one = own(server, tmp_path, airflow)
    airflow.health["scheduler"] = {"status": "unhealthy"}
    one.channel.refuses = None if has_gone_out else ChannelError("the mail server is away", None, False)
    one.passes(120)
    # A server for tests writes what is committed some moments later: what has been said is to outlive its end.
    with one.connect() as connection:
        connection.execute("set synchronous_commit = on")
        connection.execute("update ops.incident set detail_en = detail_en")
    one.routed = ["other"]
    os.kill(postmaster(server), signal.SIGKILL)
    one.channel.refuses = None
    airflow.health = dict(HEALTHY)
    one.passes(120)
    both = [("opened", "airflow_down"), ("closed", "airflow_down")]
    assert one.channel.told() == (both if has_gone_out else [])
    assert one.other.told() == [("opened", "warehouse_down")]
    start_again(server)
    one.passes(600)
    assert one.channel.told() == both
    assert one.other.told() == [("opened", "warehouse_down"), ("closed", "warehouse_down")]
