"""The watch as a process of its own: a mail from it, its page, its metrics, its size; and a close after a restart."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.receivers import MailReceiver, WebReceiver
from threegaps.one_machine.ports import free_port
from threegaps.settings import Settings

pytestmark = pytest.mark.integration
LONGEST_SECONDS = 240.0


@contextlib.contextmanager
def watching(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "threegaps.watch"], env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            process.kill()


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if found := holds():
                return found
        time.sleep(0.2)
    pytest.fail("it did not come about")


def of_home(home: Path, dsn: str) -> dict[str, str]:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    names = {"host": "host", "port": "port", "user": "user", "password": "password", "database": "dbname"}
    return os.environ | {
        "PYTHONPATH": str(Settings.load().root / "plugins"),
        "THREEGAPS_HOME": str(home),
        **{f"THREEGAPS_WAREHOUSE_{name.upper()}": str(parts[part]) for name, part in names.items()},
    }


def test_two_watches_of_two_homes_on_one_warehouse_send_each_message_once(
    warehouse: str, tmp_path: Path, mail: MailReceiver
) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        home.mkdir()
        (home / "alerts.yaml").write_text(
            f"""
version: 1
quiet_hours: never
channels:
  duty: {{kind: mail, host: 127.0.0.1, port: {mail.port}, security: none, sender: a@b.cn, recipients: [c@d.cn]}}
routes:
  - channels: [duty]
""",
            encoding="utf-8",
        )
    with psycopg.connect(warehouse, autocommit=True) as ledger:
        for number in range(30):
            ledger.execute(
                "insert into ops.outbox (change, channel, message_id, gravity, subject, body)"
                " values ('digest', 'duty', %s, 'notice', %s, 'text')",
                [f"{number}@threegaps", f"day {number}"],
            )
        ledger.execute(
            "insert into ops.build (status, failure, kind, as_of, finished_at)"
            " values ('failed', 'build', 'full', now(), now())"
        )
        # It has been there for as long as what is told has to be.
        ledger.execute(
            "insert into ops.incident (cause_key, kind, gravity, title_zh, title_en, opened_at)"
            " values ('build_failed', 'build_failed', 'warning', '', '', now() - interval '2 minutes')"
        )
        with contextlib.ExitStack() as stack:
            for home in homes:
                stack.enter_context(watching(of_home(home, warehouse)))

            def passes() -> list[int]:
                return [
                    json.loads((home / "watch" / "status.json").read_text(encoding="utf-8"))["passes"] for home in homes
                ]

            until(lambda: len(mail.messages) >= 31)
            before = until(passes)
            until(lambda: all(now > then for now, then in zip(passes(), before, strict=True)))
        sent = ledger.execute("select count(*) from ops.outbox where sent_at is not null").fetchone()
    assert sent == (31,)
    assert len(mail.messages) == len({message["Message-ID"] for message in mail.messages}) == 31


def test_what_happened_while_it_was_away_goes_out_once_and_is_shown(
    warehouse: str, tmp_path: Path, mail: MailReceiver, web: WebReceiver
) -> None:
    port = free_port()
    (tmp_path / "alerts.yaml").write_text(
        f"""
version: 1
quiet_hours: never
channels:
  duty: {{kind: mail, host: 127.0.0.1, port: {mail.port}, security: none, sender: a@b.cn, recipients: [c@d.cn]}}
  group: {{kind: wecom, key_variable: GROUP_KEY, url: "{web.url("/send")}"}}
routes:
  - channels: [duty, group]
""",
        encoding="utf-8",
    )
    environment = of_home(tmp_path, warehouse) | {"THREEGAPS_METRICS_PORT": str(port), "GROUP_KEY": "the-key"}
    with psycopg.connect(warehouse, autocommit=True) as ledger:
        row = ledger.execute(
            "insert into ops.incident (cause_key, kind, gravity, title_zh, title_en, announced_at)"
            " values ('feed_late:gone', 'feed_late', 'critical', '迟到', 'late', now()) returning incident_id"
        ).fetchone()
        assert row is not None
        for channel in ("duty", "group"):
            ledger.execute(
                "insert into ops.outbox (incident_id, change, channel, message_id, gravity, subject, body)"
                " values (%s, 'opened', %s, %s, 'critical', '迟到 · late', 'text')",
                [row[0], channel, f"opened.{channel}@threegaps"],
            )

        def page() -> dict[str, Any]:
            read: dict[str, Any] = json.loads((tmp_path / "watch" / "status.json").read_text(encoding="utf-8"))
            return read

        with watching(environment) as process:
            until(lambda: len(mail.messages) == 1 and len(web.taken) == 1)
            first = until(page)
            metrics = until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read())
            resident_kilobytes = int(
                next(
                    line.split()[1]
                    for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
                    if line.startswith("VmRSS")
                )
            )
        # The cause was never there: the next watch closes it, and says so in the thread.
        with watching(environment):
            until(lambda: len(mail.messages) == 2 and len(web.taken) == 2)
            until(lambda: page()["taken_at"] > first["taken_at"])
    assert b"threegaps_feeds{" in metrics
    assert resident_kilobytes < 60_000
    assert mail.messages[1]["In-Reply-To"] == mail.messages[0]["Message-ID"] == "<opened.duty@threegaps>"
    assert "status.html" in {path.name for path in (tmp_path / "watch").iterdir()}
    assert "the-key" not in (tmp_path / "watch" / "status.html").read_text(encoding="utf-8")
