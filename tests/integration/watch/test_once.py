"""One message for each change, whatever a channel or the clock does."""

from __future__ import annotations

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
)
from threegaps.cli.app import app
from threegaps.one_machine.postgres import PostgresServer
from threegaps.watch.message import Message
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
