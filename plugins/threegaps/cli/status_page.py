"""The page of `threegaps status`: first what somebody should look at, then how all stands.

It looks by itself, with the same looks as the watch, whether that lives or not; what the watch knows besides (since
when, who looks after it) comes from the ledger, or from the watch's journal while the warehouse is down.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from threegaps.airflow_api import airflow_address
from threegaps.cli import queries
from threegaps.cli.alerting import untold
from threegaps.cli.output import both, cell, console, print_rows
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.errors import SettingsError, ThreeGapsError
from threegaps.home import account
from threegaps.home.processes import is_alive
from threegaps.labels import INCIDENT_GRAVITIES
from threegaps.ledger import incidents as ledger
from threegaps.ledger.batches import pending_batches
from threegaps.ledger.incidents import Cause, Incident
from threegaps.ledger.status import feed_status
from threegaps.settings import OWN_READER, OWN_READER_ENTRY, SHANGHAI, WAREHOUSE_DATABASE, Settings
from threegaps.watch import heartbeat, journal, reading_ledger, reading_machine
from threegaps.watch.deadlines import DeadlineError, deadline
from threegaps.watch.kinds import command, runbook
from threegaps.watch.looking import Looked, look
from threegaps.watch.looks.wording import lasting
from threegaps.watch.readings import LedgerReading, MachineReading, WarehouseReading
from threegaps.watch.service import read_around

EXIT_CODES = {"fine": 0, "warning": 1, "critical": 2}
"""What `threegaps status` ends with."""
_LEDGER_SECONDS = 20.0
_FEED_STATES = {
    "feed_stopped": "stopped",
    "feed_failing": "failing",
    "feed_unreachable": "unreachable",
    "feed_late": "late",
    "feed_incomplete": "incomplete",
    "feed_shrinking": "shrinking",
    "refused_share_rising": "refused share rising",
}


@dataclasses.dataclass(slots=True)
class _Ledger:
    """What the page asks of the warehouse, as far as it answers."""

    warehouse: WarehouseReading
    reading: LedgerReading | None = None
    open: Sequence[Incident] = ()
    untold: Sequence[str] = ()
    tables: dict[str, Any] = dataclasses.field(default_factory=dict)
    missing: tuple[str, ...] = ()


def collect(settings: Settings) -> dict[str, Any]:
    """All that the page says; `incidents` and `problems` are what someone should look at, `state` how grave it is."""
    now = dt.datetime.now(SHANGHAI)
    page: dict[str, Any] = {
        "state": "fine",
        "asked_at": now,
        "incidents": [],
        "problems": [],
        "watch": _watch(settings, now),
        "not_looked_at": [],
        "services": [],
        "airflow": airflow_address(settings),
        "readers": _readers(settings),
    }
    if not settings.is_server and not account.is_running(settings):
        page["problems"].append("the services do not run: `threegaps up`")
        return page | {"state": "critical"}
    around, missing = read_around(settings)
    page["services"] = _services(settings, around)
    asked = _ask(settings)
    around = dataclasses.replace(around, warehouse=asked.warehouse)
    standing = asked.open if asked.reading is not None else journal.load(heartbeat.watch_folder(settings)).open
    looked = look(
        around,
        asked.reading,
        now,
        open_keys={one.cause_key for one in standing},
        not_looked_at=(*missing, *asked.missing),
    )
    page["incidents"] = _incidents(looked, standing, now)
    page["not_looked_at"] = list(looked.not_looked_at)
    page["problems"] = [
        *(both(one["title_zh"], one["title_en"]) for one in page["incidents"]),
        *_of_services(page["services"], looked),
        *_of_watch(page["watch"]),
        *asked.untold,
    ]
    page["state"] = _state(page)
    page |= asked.tables
    if asked.reading is not None:
        page["judged_at"] = asked.reading.judged_at
        for feed in page.get("feeds", ()):
            feed["states"] = _states(feed["feed"], looked.symptoms)
    return page


def _ask(settings: Settings) -> _Ledger:
    address = reading_machine.warehouse_address(settings)
    # Before the warehouse is given its time: a busy machine reads them slowly, and that is no silence of the warehouse.
    contracts = load_contracts(settings.contracts_folder)
    try:
        with deadline(_LEDGER_SECONDS), reading_machine.connect(settings) as connection:
            found = _Ledger(WarehouseReading(address, answers=True))
            found.reading = reading_ledger.read(connection)
            found.open = ledger.open_incidents(connection)
            found.untold = untold(settings, connection)
            found.tables = _warehouse(settings, connection, contracts, found.reading.judged_at)
            return found
    except (psycopg.Error, DeadlineError, ThreeGapsError) as error:
        if reading_machine.is_down(error):
            return _Ledger(reading_machine.unanswered(settings, error))
        return _Ledger(WarehouseReading(address, answers=True), missing=(reading_machine.unread(error),))


def _incidents(looked: Looked, standing: Sequence[Incident], now: dt.datetime) -> list[dict[str, Any]]:
    """What is seen, with what is known of it, and what is open and could not be looked at; the gravest first."""
    known = {incident.cause_key: incident for incident in standing}
    seen = [_as_seen(cause, known.get(cause.key), now) for cause in looked.causes]
    keys = {cause.key for cause in looked.causes}
    seen += [
        _as_seen(journal.cause_of(incident), incident, now)
        for incident in standing
        if incident.cause_key not in keys and incident.kind not in looked.kinds
    ]
    return sorted(seen, key=lambda one: (one["gravity"] == "warning", one["seen_at"], one["cause_key"]))


def _as_seen(cause: Cause, incident: Incident | None, now: dt.datetime) -> dict[str, Any]:
    since = incident.opened_at if incident else now
    zh, en = lasting(since, now)
    return {
        "incident_id": incident.incident_id or None if incident else None,
        "cause_key": cause.key,
        "kind": cause.kind,
        "gravity": cause.gravity,
        "title_zh": cause.title_zh,
        "title_en": cause.title_en,
        "detail_zh": cause.detail_zh,
        "detail_en": cause.detail_en,
        "seen_at": since,
        "lasting_zh": zh,
        "lasting_en": en,
        "feeds": list(cause.feeds),
        "indicator_codes": list(incident.indicator_codes) if incident else [],
        "marts": list(incident.marts) if incident else [],
        "acknowledged_by": incident.acknowledged_by if incident else None,
        "assigned_to": incident.assigned_to if incident else None,
        "runbook": runbook(cause.kind),
        "command": command(cause.kind, cause.feed),
    }


def _of_services(services: Sequence[Mapping[str, Any]], looked: Looked) -> list[str]:
    """Services that do not run, but for those that an incident tells of."""
    told = {cause.kind for cause in looked.causes}
    own = {"postgres": "warehouse_down", "watch": ""}
    return [
        f"{service['name']} is {service['state']}"
        for service in services
        if service["state"] != "running" and own.get(service["name"], "airflow_down") not in told
    ]


def _of_watch(watch: Mapping[str, Any]) -> list[str]:
    if watch["state"] == "running":
        return []
    since = f", last seen at {cell(watch['last_beat_at'])}" if watch["last_beat_at"] else ""
    return [f"the watch is {watch['state']}{since}: nobody is told of anything"]


def _state(page: Mapping[str, Any]) -> str:
    if any(one["gravity"] == "critical" for one in page["incidents"]):
        return "critical"
    # What could not be looked at may be anything.
    return "warning" if page["problems"] or page["not_looked_at"] else "fine"


def _watch(settings: Settings, now: dt.datetime) -> dict[str, Any]:
    """Whether the watch lives, by its heartbeat; on one machine its process is looked at, too."""
    beat = heartbeat.last_beat(settings)
    if beat is None:
        state = "not seen yet"
    elif not settings.is_server and not is_alive(beat.pid):
        state = "dead"
    else:
        state = "hung" if beat.is_stale(now) else "running"
    return {
        "state": state,
        "pid": beat.pid if beat else None,
        "last_beat_at": beat.at if beat else None,
        "pass_seconds": beat.pass_seconds if beat else None,
        "not_looked_at": list(beat.not_looked_at) if beat else [],
    }


def _readers(settings: Settings) -> dict[str, Any]:
    """Where a reader finds the warehouse, and how to come by a login; no password stands here."""
    has_login = settings.has_own_services
    try:
        address = settings.reader_address()
    except SettingsError:
        address = None
    return {
        "address": address,
        "database": WAREHOUSE_DATABASE,
        "login": OWN_READER if has_login else None,
        "password_in": f"{settings.home / 'secrets.json'}: {OWN_READER_ENTRY}" if has_login else None,
        "more_logins": "threegaps reader add",
    }


def _services(settings: Settings, around: MachineReading) -> list[dict[str, Any]]:
    """The services as the supervisor accounts for them; on a server Airflow's parts as it says."""
    if settings.is_server:
        parts = around.airflow.parts if around.airflow else {}
        return [
            {
                "name": part.replace("_", " "),
                "state": _in_a_word(parts.get(part)),
                "pid": None,
                "restarts": None,
            }
            for part in ("scheduler", "dag_processor", "triggerer")
        ]
    return [
        {"name": one.name, "state": one.state, "pid": one.process_id, "restarts": one.restarts}
        for one in around.services or reading_machine.services(settings) or ()
    ]


def _in_a_word(state: str | None) -> str:
    return "running" if state == "healthy" else state or "silent"


def _warehouse(
    settings: Settings, connection: psycopg.Connection[Any], contracts: Sequence[Contract], judged_at: dt.datetime
) -> dict[str, Any]:
    feeds = [
        {**dataclasses.asdict(feed_status(connection, contract, judged_at)), "due_day": contract.due_day}
        for contract in contracts
    ]
    pending = pending_batches(connection)
    return {
        "feeds": feeds,
        "release": list(queries.ask(settings, queries.CURRENT_RELEASE)),
        "pending": list(queries.ask(settings, queries.PENDING, {"pending": pending})),
        "held": queries.held(settings),
        "build": list(queries.ask(settings, queries.LAST_BUILD)),
    }


def _states(feed: str, symptoms: Sequence[Cause]) -> list[str]:
    """All ways in which a feed stands badly; none where it is in time."""
    return [
        state
        for kind, state in _FEED_STATES.items()
        if any(cause.kind == kind and feed in cause.feeds for cause in symptoms)
    ]


def show(page: dict[str, Any]) -> None:
    """The page for people."""
    for one in page["incidents"]:
        _show_incident(one)
    told = {both(one["title_zh"], one["title_en"]) for one in page["incidents"]}
    for problem in page["problems"]:
        if problem not in told:
            console.print(f"! {problem}", style="yellow", markup=False, soft_wrap=True)
    for reason in page["not_looked_at"]:
        console.print(f"could not be looked at: {reason}", style="yellow", markup=False, soft_wrap=True)
    if page["state"] == "fine":
        console.print("Nothing is seen that somebody should look at.", markup=False)
    if "judged_at" in page:
        console.print(f"Deliveries are judged by {cell(page['judged_at'])}.", markup=False)
    print_rows(
        [{name: service[name] for name in ("name", "state", "pid", "restarts")} for service in page["services"]],
        title="Services",
    )
    console.print(f"Airflow: {page['airflow']}", markup=False)
    readers = page["readers"]
    if readers["address"]:
        login = f"login {readers['login']}, its password in {readers['password_in']}; " if readers["login"] else ""
        console.print(
            f"Readers 读者: {readers['address']}, database {readers['database']}, schema marts; {login}"
            f"others: `{readers['more_logins']}`, `threegaps reader list`",
            markup=False,
            soft_wrap=True,
        )
    if "feeds" not in page:
        return
    console.print()
    print_rows([_feed_line(feed) for feed in page["feeds"]], title="Feeds 数据源")
    console.print()
    print_rows(page["release"], title="Release that serves")
    console.print()
    print_rows(page["pending"], title="Loaded, waiting for a build")
    console.print()
    print_rows([_held_line(held) for held in page["held"]], title="Held back by an undo")
    if page["held"]:
        console.print("`threegaps release free --release` and the undo's number frees all that it holds back.")
    console.print()
    print_rows(page["build"], title="Last build")


def _show_incident(one: Mapping[str, Any]) -> None:
    """What it is, since when, what it holds up, what to do."""
    style = "red" if one["gravity"] == "critical" else "yellow"
    number = f"#{one['incident_id']} " if one["incident_id"] else ""
    gravity = both(*INCIDENT_GRAVITIES[one["gravity"]])
    console.print(f"! {number}{gravity}: {both(one['title_zh'], one['title_en'])}", style=style, markup=False)
    lines = [both(one["detail_zh"], one["detail_en"])]
    seen = f"seen at {cell(one['seen_at'])}, {both(one['lasting_zh'], one['lasting_en'])}"
    if one["acknowledged_by"]:
        seen += f", acknowledged by {one['acknowledged_by']}"
    if one["assigned_to"]:
        seen += f", assigned to {one['assigned_to']}"
    lines.append(seen)
    if one["indicator_codes"]:
        lines.append(f"holds up {len(one['indicator_codes'])} indicators of {', '.join(one['marts'])}")
    lines.append(f"what to do: {one['runbook']}; `{one['command']}`")
    for line in filter(None, lines):
        console.print(f"    {line}", markup=False, soft_wrap=True)


def _held_line(held: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: held[name] for name in ("batch_id", "model", "feed", "delivery", "held_by_release_id", "note")},
        "indicators": len(held["indicators"]),
        "keeps_back": ", ".join(held["keeps_back"]),
    }


def _feed_line(feed: dict[str, Any]) -> dict[str, Any]:
    return {
        "feed": feed["feed"],
        "state": ", ".join(feed["states"]) or "in time",
        "last_delivery": feed["last_delivery"],
        "expected": feed["expected_delivery"],
        "rows": feed["rows"],
        "rows_before": feed["rows_before"],
        "open_refusals": feed["open_refusals"],
        "last_loaded_at": feed["last_loaded_at"],
    }
