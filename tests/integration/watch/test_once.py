"""One message for each change, whatever a channel or the clock does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.integration.watch.conftest import Airflow, Kept, Way, own, postmaster
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
