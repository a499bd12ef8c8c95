"""`threegaps status` says what is so, whether the watch lives or not, and while the warehouse does not answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from tests.integration.watch.conftest import (
    HEALTHY,
    WAGES,
    Airflow,
    Installation,
    enter_attempt,
    enter_batch,
    fail_build,
    in_service,
    know_feed,
    live,
    owe,
    own,
    postmaster,
    slowed,
)
from threegaps.airflow_api import PausedDag
from threegaps.cli import status_page
from threegaps.cli.app import app
from threegaps.home import account
from threegaps.ledger import incidents
from threegaps.one_machine.postgres import PostgresServer
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import asking, heartbeat, reading_ledger, reading_machine
from threegaps.watch.readings import LedgerReading, MachineReading

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def channel(tmp_path: Path) -> Path:
    """Somebody is told."""
    path = tmp_path / "alerts.yaml"
    path.write_text(
        "version: 1\nchannels: {duty: {kind: webhook, url: 'https://duty.test'}}\nroutes: [{channels: [duty]}]\n",
        encoding="utf-8",
    )
    return path


def page(one: Installation) -> dict[str, Any]:
    return status_page.collect(one.settings)


def run(one: Installation, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(app, list(words))


def reading_of(one: Installation) -> LedgerReading:
    with one.connect() as connection:
        return reading_ledger.read(connection)


def feed_of(found: dict[str, Any], feed: str = WAGES) -> dict[str, Any]:
    return next(one for one in found["feeds"] if one["feed"] == feed)


def test_where_all_is_well_it_says_so_and_ends_with_0(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(installation)
    installation.passes(15)
    # No feed has been asked for yet.
    result = run(installation, monkeypatch, "status")
    assert "Nothing is seen that somebody should look at." in result.stdout
    assert result.exit_code == 0
    found = page(installation)
    assert (found["state"], found["problems"], found["incidents"]) == ("fine", [], [])
    assert found["watch"]["state"] == "running"


@pytest.mark.parametrize(("sandbox", "code"), [("0", 1), ("1", 0)])
def test_that_nobody_can_be_told_is_said_and_is_a_warning_where_the_departments_are_real(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, channel: Path, sandbox: str, code: int
) -> None:
    live(installation)
    installation.passes(15)
    channel.unlink()
    installation.environment["THREEGAPS_SANDBOX"] = sandbox
    result = run(installation, monkeypatch, "status")
    said = "there is no alerts.yaml with a channel: nobody is told of anything; see `threegaps watch check`"
    assert (said in " ".join(result.stdout.split()), result.exit_code) == (True, code)
    assert ("Nothing is seen that somebody should look at." in result.stdout) == (code == 0)


@pytest.mark.parametrize("dag", ["marts", "released", "upkeep", "retention"])
def test_a_dag_of_no_feed_that_is_paused_is_a_problem(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, dag: str
) -> None:
    in_service(installation)
    live(installation)
    installation.passes(15)
    monkeypatch.setattr(reading_machine, "paused", lambda *_: {dag: PausedDag(), "feed_hrss_wages": PausedDag()})
    result = run(installation, monkeypatch, "status")
    assert f"lets it on Airflow's page: {dag}\n" in result.stdout.replace("page: \n", "page: ")
    assert (result.exit_code, "Nothing is seen" in result.stdout) == (1, False)


def test_what_a_first_run_holds_is_no_problem(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    know_feed(installation)
    installation.enter("update ops.feed set known_since = now()")
    settings = installation.settings
    settings.remember(postgres_port=1)
    found = status_page._Ledger(reading=reading_of(installation), open=(), untold=(), loaded=None, tables={})
    assert found.reading.is_being_set_up
    around = MachineReading(paused={"marts": PausedDag()})
    assert status_page._of_paused(settings, around, found) == []
    in_service(installation)
    found = dataclasses.replace(found, reading=reading_of(installation))
    assert "marts" in str(status_page._of_paused(settings, around, found))
    lock = account.try_lock(settings, "advance")
    assert lock is not None
    try:
        assert status_page._of_paused(settings, around, found) == []
    finally:
        os.close(lock)


@pytest.mark.parametrize("minutes", [3, None])
def test_incidents_say_beside_them_that_the_watch_does_not_look(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, minutes: int | None
) -> None:
    live(installation)
    installation.passes(15)
    assert "nobody is told" not in run(installation, monkeypatch, "incidents").output
    if minutes is None:
        heartbeat.heartbeat_path(installation.settings).unlink()
    else:
        at = dt.datetime.now(SHANGHAI) - dt.timedelta(minutes=minutes)
        heartbeat.beat(installation.settings, heartbeat.Heartbeat(os.getpid(), at, 0.1, 9))
    result = run(installation, monkeypatch, "incidents")
    said = "the watch is hung, last seen" if minutes else "the watch is not seen yet"
    for part in (said, heartbeat.COMMAND, heartbeat.RUNBOOK):
        assert part in result.stdout
    told = run(installation, monkeypatch, "incidents", "--json")
    assert (json.loads(told.stdout), said in told.stderr) == ([], True)


def test_a_feed_that_cannot_be_reached_is_not_in_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_feed(installation)
    in_service(installation)
    enter_attempt(installation, WAGES, "failed", "unreachable")
    live(installation)
    installation.passes(15)
    found = page(installation)
    assert feed_of(found)["states"] == ("unreachable",)
    (one,) = found["incidents"]
    assert (one["cause_key"], one["gravity"], one["feeds"]) == ("feed_unreachable:hrss_sftp", "warning", [WAGES])
    assert "10.0.0.1:22" in one["title_en"]
    assert one["incident_id"] == installation.incidents()[0].incident_id
    assert one["runbook"] == "docs/runbook.md#a-departments-system-cannot-be-reached"
    result = run(installation, monkeypatch, "status")
    assert result.exit_code == 1
    assert result.stdout.index("hrss_sftp") < result.stdout.index("Services")


def test_what_somebody_resolved_is_shown_with_his_reason_and_is_no_problem(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_build(installation)
    live(installation)
    installation.passes(120)
    (number,) = (one.incident_id for one in installation.incidents())
    with installation.connect() as connection:
        incidents.resolve(connection, number, by="wang", why="known", at=dt.datetime.now(SHANGHAI))
    found = page(installation)
    assert (found["incidents"], [one["incident_id"] for one in found["resolved"]]) == ([], [number])
    result = run(installation, monkeypatch, "status")
    assert (result.exit_code, f"#{number} " in result.stdout, "known" in result.stdout) == (0, True, True)


def test_one_contract_that_cannot_be_read_hides_nothing_else(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_build(installation)
    live(installation)
    contracts = tmp_path / "contracts"
    shutil.copytree(installation.settings.contracts_folder, contracts)
    (contracts / f"{WAGES}.odcs.yaml").write_text("kind: [", encoding="utf-8")
    monkeypatch.setattr(Settings, "contracts_folder", property(lambda _: contracts))
    found = page(installation)
    assert [one["kind"] for one in found["incidents"]] == ["build_failed"]
    assert any(WAGES in problem and "cannot be read" in problem for problem in found["problems"])


def test_a_new_installation_waits_and_what_is_shown_agrees_with_the_exit_code(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_feed(installation)
    installation.enter("update ops.feed set known_since = now()")
    owe(installation)
    live(installation)
    installation.passes(15)
    found = page(installation)
    assert (found["state"], {feed["state"] for feed in found["feeds"]}) == ("fine", {"awaited"})
    assert feed_of(found)["days_late"] == 0
    result = run(installation, monkeypatch, "status")
    assert (result.exit_code, "Nothing is seen that somebody should look at." in result.stdout) == (0, True)
    assert WAGES not in result.stdout
    assert f"{WAGES} " in run(installation, monkeypatch, "status", "--all").stdout


def test_a_feed_that_opens_in_an_installation_that_has_released_is_no_alarm(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_feed(installation)
    in_service(installation)
    owe(installation)
    installation.enter("update ops.feed set known_since = now()")
    installation.enter("update ops.expected_delivery set due_at = now() - interval '60 days', is_timed = false")
    live(installation)
    installation.passes(15)
    found = page(installation)
    assert (found["incidents"], feed_of(found)["states"], feed_of(found)["days_late"]) == ([], ("awaited",), 0)
    assert WAGES not in run(installation, monkeypatch, "status").stdout
    # and what is due since it is known is late as that of any other
    installation.enter("update ops.feed set known_since = now() - interval '2 days'")
    installation.enter("update ops.expected_delivery set due_at = now() - interval '1 day', is_timed = true")
    installation.passes(15)
    assert run(installation, monkeypatch, "status").exit_code == 1


def test_what_is_late_is_no_fine_though_its_incident_is_given_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_feed(installation)
    in_service(installation)
    owe(installation)
    installation.enter(
        "insert into ops.incident (cause_key, kind, gravity, title_zh, title_en, opened_at, last_seen_at, closed_at,"
        " closed_by, resolution) values ('airflow_down', 'airflow_down', 'critical', '', '', now() - interval '1 hour',"
        " now(), now(), 'watch', '')"
    )
    live(installation)
    installation.passes(15)
    found = page(installation)
    assert (found["state"], found["incidents"], feed_of(found)["state"]) == ("warning", [], "late")
    assert any(WAGES in problem and "has only just come back" in problem for problem in found["problems"])
    result = run(installation, monkeypatch, "status")
    assert (result.exit_code, "Nothing is seen" in result.stdout) == (1, False)


def test_how_a_feed_stands_that_the_ledger_does_not_know_cannot_be_told(installation: Installation) -> None:
    know_feed(installation)
    in_service(installation)
    live(installation)
    installation.passes(15)
    found = page(installation)
    assert {feed["state"] for feed in found["feeds"] if feed["feed"] != WAGES} == {"cannot_tell"}
    assert found["state"] == "warning"
    assert any("threegaps migrate" in problem for problem in found["problems"])


def test_a_feed_that_is_closed_is_late_with_nothing(installation: Installation) -> None:
    know_feed(installation)
    in_service(installation)
    owe(installation)
    installation.enter(
        "insert into ops.reporting_pause (feed, county_code, kind, paused_from, reason, recorded_by, recorded_at)"
        " values (%s, '', 'closure', current_date - 1, 'r', 'b', now())",
        WAGES,
    )
    live(installation)
    installation.passes(120)
    assert (installation.open(), feed_of(page(installation))["state"]) == ([], "closed")


def test_of_many_incidents_the_kinds_are_counted(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    in_service(installation)
    for number in range(9):
        know_feed(installation, f"hrss/feed_{number}")
        owe(installation, f"hrss/feed_{number}")
    live(installation)
    installation.passes(15)
    shown = run(installation, monkeypatch, "status").stdout
    assert "and 4 more, `threegaps status --all` shows them: 数据迟到 a feed is late 4" in shown
    assert shown.count("what to do:") == 5
    assert run(installation, monkeypatch, "status", "--all").stdout.count("what to do:") == 9


def test_what_explains_and_what_is_explained_both_stand_at_the_feed(installation: Installation) -> None:
    know_feed(installation)
    enter_batch(installation, "2026-06", status="stopped", stop_rule="batch_refused_share", message_en="90 % refused")
    in_service(installation)
    owe(installation)
    live(installation)
    installation.passes(15)
    found = page(installation)
    assert feed_of(found)["states"] == ("stopped", "late")
    assert [one["kind"] for one in found["incidents"]] == ["feed_stopped"]
    assert "90 % refused" in found["incidents"][0]["detail_en"]


def test_a_critical_incident_ends_with_2(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    live(installation)
    installation.passes(15)
    installation.airflow.health["scheduler"] = {"status": "unhealthy"}
    result = run(installation, monkeypatch, "status", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["state"]) == (2, "critical")
    assert [one["cause_key"] for one in found["incidents"]] == ["airflow_down"]


def test_it_says_the_same_when_the_watch_is_dead_or_hung_and_that_it_is(installation: Installation) -> None:
    fail_build(installation)
    live(installation)
    installation.passes(15)
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    heartbeat.beat(
        installation.settings,
        heartbeat.Heartbeat(beat.pid, dt.datetime.now(SHANGHAI) - dt.timedelta(minutes=3), 0.1, 9),
    )
    found = page(installation)
    assert found["watch"]["state"] == "hung"
    assert [one["kind"] for one in found["incidents"]] == ["build_failed"]
    assert any(problem.startswith("the watch is hung, last seen at") for problem in found["problems"])
    heartbeat.heartbeat_path(installation.settings).unlink()
    found = page(installation)
    assert found["watch"]["state"] == "not seen yet"
    assert found["state"] == "warning"


def test_a_cause_that_the_watch_has_not_seen_yet_is_seen(installation: Installation) -> None:
    fail_build(installation)
    (one,) = page(installation)["incidents"]
    assert (one["kind"], one["incident_id"]) == ("build_failed", None)


def test_who_looks_after_it_and_since_when(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_build(installation)
    live(installation)
    installation.passes(15)
    (incident,) = installation.incidents()
    with psycopg.connect(installation.settings.warehouse_dsn()) as connection:
        incidents.acknowledge(connection, incident.incident_id, by="wang", at=installation.now)
        incidents.assign(connection, incident.incident_id, to="li", by="wang", at=installation.now)
    shown = run(installation, monkeypatch, "status").stdout
    assert f"#{incident.incident_id} " in shown
    assert "acknowledged by wang, assigned to li" in shown


def test_a_warehouse_that_is_dead_or_hangs_is_said_and_what_was_open_too(
    server: PostgresServer, tmp_path: Path, airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = own(server, tmp_path, airflow)
    fail_build(one)
    live(one)
    one.passes(15)
    os.kill(postmaster(server), signal.SIGSTOP)
    try:
        found = page(one)
    finally:
        os.kill(postmaster(server), signal.SIGCONT)
    assert [incident["cause_key"] for incident in found["incidents"]] == ["warehouse_down", "build_failed"]
    assert "feeds" not in found
    os.kill(postmaster(server), signal.SIGKILL)
    result = run(one, monkeypatch, "status", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 2
    assert [incident["cause_key"] for incident in found["incidents"]] == ["warehouse_down", "build_failed"]
    assert str(server.port) in found["incidents"][0]["detail_en"]


def test_a_busy_machine_is_not_taken_for_a_dead_warehouse(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LEDGER_SECONDS", 1.0)
    slowed(monkeypatch, seconds=0.3, questions=20)
    found = page(installation)
    assert [incident["cause_key"] for incident in found["incidents"]] == ["ledger_unreadable"]
    assert found["state"] == "warning"
    assert any("the machine is busy" in reason for reason in found["not_looked_at"])


def test_the_commands_for_incidents(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_build(installation)
    installation.airflow.health = dict(HEALTHY)
    live(installation)
    installation.passes(120)
    (incident,) = installation.incidents()
    number = str(incident.incident_id)
    listed = json.loads(run(installation, monkeypatch, "incidents", "--json").stdout)
    assert [one["cause_key"] for one in listed] == ["build_failed"]
    assert "failed" in run(installation, monkeypatch, "incidents").stdout
    done = json.loads(
        run(installation, monkeypatch, "incidents", "acknowledge", number, "--by", "wang", "--json").stdout
    )
    assert (done["acknowledged_by"], done["response_seconds"] is not None) == ("wang", True)
    run(installation, monkeypatch, "incidents", "assign", number, "--to", "li", "--by", "wang")
    shown = run(installation, monkeypatch, "incidents", "show", number).stdout
    for said in ("acknowledged by wang", "assigned to li", "docs/runbook.md#a-build-fails", "opened", "assigned"):
        assert said in shown
    result = run(installation, monkeypatch, "incidents", "resolve", number, "--why", "a known fault", "--by", "li")
    assert (result.exit_code, "closed by li: a known fault" in result.stdout) == (0, True)
    assert json.loads(run(installation, monkeypatch, "incidents", "--json").stdout) == []
    assert len(json.loads(run(installation, monkeypatch, "incidents", "--all", "--json").stdout)) == 1
    again = run(installation, monkeypatch, "incidents", "resolve", number, "--why", "once more")
    assert again.exit_code != 0


def test_one_look_by_hand(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_build(installation)
    seen = json.loads(run(installation, monkeypatch, "watch", "--once", "--json").stdout)
    assert [one["key"] for one in seen["causes"]] == ["build_failed"]
    assert installation.open() == ["build_failed"]


def test_a_ledger_of_another_version_is_not_a_warehouse_that_is_down(installation: Installation) -> None:
    installation.enter("alter table ops.feed rename column title_zh to title_of_another_version")
    live(installation)
    installation.passes(120)
    found = page(installation)
    assert (found["state"], [one["kind"] for one in found["incidents"]]) == ("critical", ["ledger_unreadable"])
    assert found["not_looked_at"] == [
        "ledger: its schema is not the one that this version knows; `threegaps migrate` makes it"
    ]
    assert installation.channel.messages == []
