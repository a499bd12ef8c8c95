"""One message for each change, whatever a channel or the clock does."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from tests.integration.watch.conftest import (
    HEALTHY,
    START,
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
from tests.receivers import Answer, MailReceiver, Received, WebReceiver
from threegaps.access import logins
from threegaps.cli.app import app
from threegaps.duty.access import OWN_HEADER, Viewer
from threegaps.duty.app import make_app
from threegaps.ledger import incidents, outbox
from threegaps.one_machine.postgres import PostgresServer
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import journal, service
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
    assert failed.tried.tries > 0
    assert failed.tried.retry_at is not None


@pytest.mark.parametrize("is_by_page", [False, True])
def test_what_is_resolved_by_hand_is_told_to_those_who_know_of_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, is_by_page: bool
) -> None:
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    logins.keep_duty(installation.settings.warehouse_dsn(), "duty-in-tests")
    monkeypatch.setenv("THREEGAPS_DUTY_PASSWORD", "duty-in-tests")

    def resolve(number: int, by: str) -> int:
        if is_by_page:
            page = make_app(Settings.load(), lambda: Viewer(by, may_write=True))
            browser = TestClient(page, headers={OWN_HEADER: "1", "Sec-Fetch-Site": "same-origin"})
            return int(browser.post(f"/incidents/{number}/resolve", json={"why": "repaired"}).status_code != 200)
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
    release_build(installation)
    installation.restart()
    installation.passes(120)
    opening, closing = installation.channel.messages
    assert (closing.change, closing.reply_to) == ("closed", opening.message_id)
    assert "closed by wang: repaired." in closing.text
    assert "由wang已解除:repaired" in closing.text
    assert installation.enter("select change from ops.outbox order by outbox_id") == [("opened",), ("closed",)]


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
    assert installation.channel.told() == [("opened", "build_failed"), ("closed", "build_failed")]


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


# ---- cut off, put on and put back -----------------------------------------------------------------------------

ALERTS = """
version: 1
quiet_hours: never
burst: 100
give_up_after_hours: 2
channels:
  desk: {{kind: webhook, url: "{url}"}}
  duty:
    kind: mail
    host: 127.0.0.1
    port: {port}
    security: none
    sender: threegaps@example.gov.cn
    recipients: [first@example.gov.cn, second@example.gov.cn]
routes:
  - channels: [{route}]
digest: {{channels: [desk], at: "07:00"}}
"""


def alerted(one: Installation, web: WebReceiver, mail: MailReceiver, route: str = "desk") -> None:
    """As alerts.yaml says, from now on."""
    written = ALERTS.format(url=web.url("/desk"), port=mail.port, route=route)
    (one.settings.home / "alerts.yaml").write_text(written, encoding="utf-8")
    one.watch.close()
    one.watch = Watch(one.settings)


def test_a_pass_that_is_full_cuts_no_message_off_that_would_go_out_again(
    installation: Installation, web: WebReceiver, mail: MailReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All limits a tenth of what they are.
    monkeypatch.setattr(service, "PASS_SECONDS", 3.0)
    monkeypatch.setattr(service, "_SENDING_SECONDS", 6.0)
    alerted(installation, web, mail, "desk, duty")

    def answer(_: Received) -> Answer:
        time.sleep(1.7)
        return Answer()

    web.answer = answer
    with installation.connect() as connection:
        for number in range(4):
            enter(connection, number, installation.now)
    installation.passes(90)
    numbers = [request.data["message_id"] for request in web.requests]
    assert len(numbers) == len(set(numbers)) == 5
    assert installation.enter("select count(*) from ops.outbox where sent_at is null") == [(0,)]


def enter(connection: psycopg.Connection[Any], number: int, now: dt.datetime, channel: str = "desk") -> None:
    outbox.enter(
        connection,
        message_id=f"{number}.{channel}@threegaps",
        incident_id=None,
        change="test",
        channel=channel,
        gravity="notice",
        subject="s",
        body="b",
        content={},
        send_after=now,
        created_at=now,
    )


def test_a_clock_that_is_put_on_and_back_gives_no_message_up_and_takes_no_day_its_digest(
    installation: Installation, web: WebReceiver, mail: MailReceiver
) -> None:
    alerted(installation, web, mail, "duty")
    mail.answers["MAIL"] = "451 4.3.0 later"
    fail_build(installation)
    installation.passes(3600, every=120)
    begun = installation.now
    assert digests(web) == [START.date()]
    # Two days ahead for half an hour, and over the digest's time there.
    ahead = dt.timedelta(days=1, hours=20, minutes=45)
    installation.now += ahead
    installation.passes(1800, every=120)
    assert digests(web) == [START.date(), START.date() + dt.timedelta(days=2)]
    installation.now -= ahead
    mail.answers.clear()
    installation.passes(600, every=60)
    assert mail.envelopes == [["first@example.gov.cn", "second@example.gov.cn"]]
    assert installation.enter("select count(*) from ops.outbox where given_up_at is not null") == [(0,)]
    assert installation.now - begun < dt.timedelta(hours=1)
    # Each day has its own all the same, once.
    for days in (1, 2, 3):
        installation.now = dt.datetime.combine(START.date() + dt.timedelta(days=days), dt.time(6, 58), SHANGHAI)
        installation.passes(1200, every=120)
    counted = Counter(digests(web))
    assert counted == {START.date(): 1, **{START.date() + dt.timedelta(days=one): 1 for one in (1, 3)}} | {
        START.date() + dt.timedelta(days=2): 2
    }
    numbers = [request.data["message_id"] for request in web.taken]
    assert len(numbers) == len(set(numbers))


def digests(web: WebReceiver) -> list[dt.date]:
    return [
        dt.date.fromisoformat(request.data["content"]["day"])
        for request in web.taken
        if request.data["change"] == "digest"
    ]


def test_the_time_in_which_nothing_was_tried_gives_no_message_up(
    installation: Installation, web: WebReceiver, mail: MailReceiver
) -> None:
    alerted(installation, web, mail, "duty")
    mail.answers["MAIL"] = "451 4.3.0 later"
    fail_build(installation)
    installation.passes(3600, every=240)
    installation.watch.close()
    installation.now += dt.timedelta(days=3)
    installation.watch = Watch(installation.settings)
    installation.passes(3600, every=240)
    mail.answers.clear()
    installation.passes(600, every=60)
    assert len(mail.messages) == 1
    # That it is tried in vain for as long does.
    fail_build(installation, "another one")
    mail.answers["MAIL"] = "451 4.3.0 later"
    release_build(installation)
    installation.passes(3 * 3600, every=300)
    assert installation.enter("select change from ops.outbox where given_up_at is not null") == [("closed",)]


def test_the_journal_goes_by_the_same_rules_and_asks_what_was_told(
    server: PostgresServer, tmp_path: Path, airflow: Airflow, web: WebReceiver, mail: MailReceiver
) -> None:
    one = own(server, tmp_path, airflow)
    alerted(one, web, mail, "duty, desk")
    one.passes(15)
    web.taken.clear()
    os.kill(postmaster(server), signal.SIGKILL)
    mail.puts_off = {"second@example.gov.cn": "451 4.7.1 greylisted"}
    one.passes(120)
    assert mail.envelopes == [["first@example.gov.cn"]]
    assert len(web.taken) == 1
    # The journal is a disk's that could not keep it; the notes know.
    path = journal.journal_path(one.watch.folder)
    kept = json.loads(path.read_text(encoding="utf-8"))
    for posted in kept["posted"]:
        if posted["channel"] == "desk":
            posted["tried"]["sent_at"] = posted["tried"]["sent_as"] = None
    one.watch.close()
    path.write_text(json.dumps(kept), encoding="utf-8")
    one.watch = Watch(one.settings)
    one.passes(60)
    assert len(web.taken) == 1
    assert len(mail.messages) == 1
    start_again(server)
    one.passes(120)
    # His end waits for his opening, also when the outbox has taken over.
    changes = [request.data["change"] for request in web.taken]
    assert changes == ["opened", "closed"]
    assert mail.envelopes == [["first@example.gov.cn"]] * 2
    mail.puts_off.clear()
    one.passes(1800, every=60)
    assert mail.envelopes[2:] == [["second@example.gov.cn"]] * 2
    numbers = [str(message["Message-ID"]) for message in mail.messages]
    assert numbers[2:] == numbers[:2]
