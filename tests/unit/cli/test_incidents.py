"""The incidents' commands when the warehouse hangs: they end, and say where else to look."""

from __future__ import annotations

import datetime as dt
import socket
import time
from collections.abc import Iterator

import pytest

from threegaps.cli import incidents
from threegaps.cli.app import app
from threegaps.errors import ServiceError
from threegaps.ledger.incidents import Incident
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import reading_machine


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A warehouse that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dsn = f"host=127.0.0.1 port={listener.getsockname()[1]} user=nobody dbname=none sslmode=disable"
        monkeypatch.setattr(Settings, "warehouse_dsn", lambda _: dsn)
        monkeypatch.setattr(reading_machine, "CONNECT_SECONDS", 2)
        yield


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "command",
    [[], ["--all"], ["show", "1"], ["acknowledge", "1"], ["assign", "1", "--to", "a"], ["resolve", "1", "--why", "b"]],
)
def test_a_warehouse_that_hangs_ends_each_command_with_where_to_look(silent: None, command: list[str]) -> None:
    began = time.monotonic()
    with pytest.raises(ServiceError, match="does not answer: no answer in time") as caught:
        app(["incidents", *command], standalone_mode=False)
    assert time.monotonic() - began < 30
    assert "watch/journal.json" in str(caught.value.advice)
    assert "threegaps status" in str(caught.value.advice)


@pytest.mark.parametrize(("codes", "shown"), [([], None), (["M14-1"], 1), (["M14-1", "M14-2"], 2)])
def test_what_is_held_up_is_said_where_it_is_known(codes: list[str], shown: int | None) -> None:
    """Before the first build no indicator is known to wait: that is no count of 0."""
    now = dt.datetime(2026, 6, 30, 9, tzinfo=SHANGHAI)
    known = {
        "indicator_codes": codes,
        "marts": [],
        "feeds": [],
        "gravity": "warning",
        "opened_at": now,
        "incident_id": 1,
    }
    rest = {name: None for name in Incident.__dataclass_fields__ if name not in known}
    line = incidents._line(Incident(**{**rest, **known}), with_closed=False)
    assert line["indicators_held_up"] == shown
