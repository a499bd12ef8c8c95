"""What is shown although one of its moments is outside of every calendar can be acted on, by page and by command."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests.integration.duty.conftest import FEED, Desk
from threegaps.cli.app import app

pytestmark = pytest.mark.integration

ODD = ("ops.incident set opened_at", "ops.ticket set sent_at", "quarantine.refused_row set refused_at")


@pytest.fixture(params=["infinity", "-infinity"])
def odd(request: pytest.FixtureRequest, desk: Desk) -> Desk:
    """An incident, and a ticket for one of two refused rows, each of no moment."""
    desk.know_feed()
    batch = desk.batch("2026-05", refused=2)
    desk.refuse(batch, 1)
    path = f"/duty/feeds/{FEED}/tickets"
    assert desk.acting("duty").post(path, json={"to": "li", "delivery": "2026-05"}).status_code == 200
    desk.refuse(batch, 2)
    desk.incident()
    for column in ODD:
        desk.enter(f"update {column} = '{request.param}'")
    return desk


def test_the_page_acts_on_it(odd: Desk) -> None:
    browser = odd.acting("duty")
    assert "/duty/incidents/1/resolve" in browser.get("/duty/").text
    for path, said in (
        ("incidents/1/acknowledge", {}),
        ("incidents/1/assign", {"to": "wang"}),
        ("incidents/1/resolve", {"why": "known"}),
        ("tickets/1/answer", {"said": "they are right"}),
        (f"feeds/{FEED}/tickets", {"to": "wang", "delivery": "2026-05"}),
    ):
        answer = browser.post(f"/duty/{path}", json=said)
        assert answer.status_code == 200, (path, answer.text)
    assert odd.enter("select assigned_to, resolution from ops.incident") == [("wang", "known")]


def test_commands_show_it_and_act_on_it(odd: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    login = psycopg.conninfo.conninfo_to_dict(odd.dsn)
    for name in ("user", "password"):
        monkeypatch.setenv(f"THREEGAPS_WAREHOUSE_{name.upper()}", str(login[name]))

    def said(*arguments: str) -> str:
        answer = CliRunner().invoke(app, arguments)
        assert answer.exit_code == 0, (arguments, answer.exception)
        return answer.stdout

    (ticket,) = json.loads(said("quarantine", "tickets", "--json"))
    assert (ticket["sent_at"], ticket["age_days"]) == (None, None)
    for command in ("quarantine tickets", "quarantine show", "incidents", "incidents --all", "incidents show 1"):
        assert "cannot tell" in said(*command.split()), command
    said("quarantine", "export", FEED, str(tmp_path / "rows.xlsx"), "--sent-to", "wang")
    said("quarantine", "answered", "1", "--note", "they are right", "--by", "li")
    assert json.loads(said("incidents", "resolve", "1", "--why", "known", "--json"))["resolution_seconds"] is None
