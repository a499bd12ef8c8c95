"""The page of `threegaps status`: first what somebody should look at, then how all stands.

It looks by itself, with the same looks as the watch, whether that lives or not; what the watch knows besides (since
when, who looks after it) comes from the ledger, or from the watch's journal while the warehouse is down.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from rich.padding import Padding

from threegaps.airflow_api import airflow_address
from threegaps.cli import queries
from threegaps.cli.alerting import has_no_channel, untold
from threegaps.cli.output import both, cell, console, in_language, named, print_rows, unbroken
from threegaps.contracts.loader import load_readable
from threegaps.errors import SettingsError
from threegaps.home import account
from threegaps.labels import (
    BUILD_STATUSES,
    FEED_STATES,
    INCIDENT_GRAVITIES,
    INCIDENT_KINDS,
    SERVICE_STATES,
)
from threegaps.ledger import incidents as ledger
from threegaps.ledger.expected import LATE_STATES, QUIET_STATES
from threegaps.ledger.incidents import Cause, Incident
from threegaps.orchestration.names import OF_NO_FEED
from threegaps.release.listed import LAST_BUILD
from threegaps.settings import OWN_READER, OWN_READER_ENTRY, SHANGHAI, WAREHOUSE_DATABASE, Settings
from threegaps.standards.moments import last_moment
from threegaps.standards.visible import visible
from threegaps.watch import heartbeat, journal, reading_ledger, reading_machine
from threegaps.watch.asking import Asked, ask_ledger
from threegaps.watch.gathering import Loaded, feeds_seen, read_loaded
from threegaps.watch.kinds import command, runbook
from threegaps.watch.looking import Looked, look
from threegaps.watch.looks.wording import lasting, listed
from threegaps.watch.readings import AIRFLOW_PARTS, LedgerReading, MachineReading
from threegaps.watch.reconciling import is_answered
from threegaps.watch.snapshot import FeedSeen, state_of_all

EXIT_CODES = {"fine": 0, "warning": 1, "critical": 2}
"""What `threegaps status` ends with."""
_NO_CHANNEL = "there is no alerts.yaml with a channel: nobody is told of anything; see `threegaps watch check`"
_OWN_SERVICES = ("postgres", "dag-processor", "api-server", "watch", "sandbox", "scheduler", "triggerer")
"""What the supervisor of a home starts."""
_MOST_INCIDENTS = 5
"""So many are shown whole; of more than that the kinds are counted."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Ledger:
    """What the page asks of the warehouse."""

    reading: LedgerReading
    loaded: Loaded
    open: Sequence[Incident]
    untold: Sequence[str]
    tables: dict[str, Any]


def collect(settings: Settings) -> dict[str, Any]:
    """All that the page says; `incidents` and `problems` are what someone should look at, `state` how grave it is."""
    now = dt.datetime.now(SHANGHAI)
    page: dict[str, Any] = {
        "state": "fine",
        "asked_at": now,
        "incidents": [],
        "problems": [],
        "notes": [],
        "watch": watch_seen(settings, now),
        "not_looked_at": [],
        "services": [],
        "airflow": airflow_address(settings),
        "readers": _readers(settings),
    }
    if not settings.is_server and not account.is_running(settings):
        page["problems"].append("the services do not run: `threegaps up`")
        return page | {"state": "critical"}
    # Before all else is read: what was silent while they started must not be told when they all run.
    on_the_way = _on_the_way(settings)
    around, missing = reading_machine.read_around(settings)
    # Before the warehouse is given its time: a busy machine reads them slowly, and that is no silence of the warehouse.
    contracts, unread = load_readable(settings.contracts_folder)
    asked = _ask(settings)
    found = asked.answer
    if not on_the_way or found is not None:
        around, missing = dataclasses.replace(around, warehouse=asked.warehouse), (*missing, *asked.missing)
    if on_the_way:
        missing = tuple(one for one in missing if one.name != "airflow")
    page["services"] = _services(settings, around, page["watch"], is_starting=on_the_way == "starting")
    standing = found.open if found is not None else journal.load(heartbeat.watch_folder(settings)).open
    reading = None if found is None else found.reading
    looked = look(around, reading, now, standing=standing, not_looked_at=missing)
    resolved = _resolved(looked, standing, () if found is None else found.loaded.resolved)
    page["incidents"] = [one for one in _incidents(looked, standing, now) if one["cause_key"] not in resolved]
    page["resolved"] = [_as_resolved(one) for one in resolved.values()]
    page["not_looked_at"] = [str(one) for one in looked.not_looked_at]
    feeds: Sequence[FeedSeen] = ()
    if found is not None:
        feeds = feeds_seen(found.reading, found.loaded, looked.symptoms, contracts)
        page["judged_at"] = found.reading.judged_at
        page["feeds"] = [feed.as_data() for feed in feeds]
        page |= found.tables
    page["problems"] = [
        *(both(one["title_zh"], one["title_en"]) for one in page["incidents"]),
        *([f"the services are {on_the_way}"] if on_the_way else _of_services(page["services"], looked, page["watch"])),
        *([] if on_the_way else of_watch(page["watch"])),
        *_of_feeds(feeds, looked, is_starting=bool(on_the_way)),
        *_of_paused(settings, around, found),
        *(() if found is None else found.untold),
        *(f"the contract of {feed} cannot be read: {error}" for feed, error in unread.items()),
    ]
    if has_no_channel(settings):
        # The synthetic departments wake nobody.
        page["notes" if settings.is_sandbox else "problems"].append(_NO_CHANNEL)
    gravities = [one["gravity"] for one in page["incidents"]]
    page["state"] = state_of_all(gravities, feeds, has_problems=bool(page["problems"] or page["not_looked_at"]))
    return page


def _on_the_way(settings: Settings) -> str:
    """``starting`` or ``stopping`` while the services of this home do so: what is silent then is no fault."""
    state = reading_machine.supervisor_state(settings)
    return state if state in {"starting", "stopping"} else ""


def _ask(settings: Settings) -> Asked[_Ledger]:
    def ask(connection: psycopg.Connection[Any]) -> _Ledger:
        reading = reading_ledger.read(connection)
        return _Ledger(
            reading=reading,
            open=ledger.open_incidents(connection),
            untold=untold(settings, connection),
            loaded=read_loaded(connection, dt.datetime.now(SHANGHAI)),
            tables=_warehouse(settings, reading.pending),
        )

    return ask_ledger(settings, ask)


def _resolved(looked: Looked, standing: Sequence[Incident], resolved: Sequence[Incident]) -> dict[str, Incident]:
    """What is seen that somebody has resolved, knowing of all of it, by its cause."""
    known = {incident.cause_key: incident for incident in resolved}
    is_open = {incident.cause_key for incident in standing}
    return {
        cause.key: known[cause.key]
        for cause in looked.causes
        if cause.key in known and cause.key not in is_open and is_answered(known[cause.key], cause)
    }


def _as_resolved(incident: Incident) -> dict[str, Any]:
    return {
        name: getattr(incident, name)
        for name in ("incident_id", "cause_key", "title_zh", "title_en", "closed_at", "closed_by", "resolution")
    }


def _incidents(looked: Looked, standing: Sequence[Incident], now: dt.datetime) -> list[dict[str, Any]]:
    """What is seen, with what is known of it, and what is open and could not be looked at; the gravest first."""
    known = {incident.cause_key: incident for incident in standing}
    seen = [_as_seen(cause, known.get(cause.key), now) for cause in looked.causes]
    keys = {cause.key for cause in looked.causes}
    seen += [
        _as_seen(journal.cause_of(incident), incident, now)
        for incident in standing
        if incident.cause_key not in keys and not looked.could_see(incident)
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


def _of_services(services: Sequence[Mapping[str, Any]], looked: Looked, watch: Mapping[str, Any]) -> list[str]:
    """Services that do not run, but for those that an incident tells of, and a watch of which more is said."""
    told = {cause.kind for cause in looked.causes}
    own = {"postgres": "warehouse_down", "sandbox": "feed_unreachable"}
    return [
        f"{service['name']} is {service['state']}"
        for service in services
        if service["state"] != "running"
        and own.get(service["name"], "airflow_down") not in told
        and (service["name"] != "watch" or watch["state"] == "running")
    ]


def of_watch(watch: Mapping[str, Any]) -> list[str]:
    """That the watch does not look, where it does not."""
    if watch["state"] == "running":
        return []
    since = f", last seen at {cell(watch['last_beat_at'])}" if watch["last_beat_at"] else ""
    return [f"the watch is {watch['state']}{since}: nobody is told of anything"]


def _of_paused(settings: Settings, around: MachineReading, found: _Ledger | None) -> list[str]:
    """DAGs of no feed that are paused: no incident tells of them, and what they do stands still."""
    paused = [dag_id for dag_id in OF_NO_FEED if dag_id in (around.paused or {})]
    if not paused or found is None or is_held(settings, is_being_set_up=found.reading.is_being_set_up):
        return []
    return [f"paused in Airflow, and does not run until somebody lets it on Airflow's page: {', '.join(paused)}"]


def is_held(settings: Settings, *, is_being_set_up: bool) -> bool:
    """Whether the DAGs of no feed are held on purpose: by a first run, or by the sandbox that is advanced."""
    return settings.has_own_services and (is_being_set_up or account.is_locked(settings, "advance"))


def _of_feeds(feeds: Iterable[FeedSeen], looked: Looked, *, is_starting: bool) -> list[str]:
    """Feeds that do not stand well and that no incident tells of: what was down has told of it, or only just did."""
    told = {feed for cause in looked.causes for feed in cause.feeds}
    if any(cause.kind in {"airflow_down", "warehouse_down"} for cause in looked.causes):
        return []
    late = [feed.feed for feed in feeds if feed.state in LATE_STATES and feed.feed not in told]
    unknown = [feed.feed for feed in feeds if feed.state == "cannot_tell"]
    problems = []
    if late:
        problems.append(f"late, and given time, since Airflow or the warehouse has only just come back: {_some(late)}")
    if unknown and not is_starting:
        problems.append(f"the ledger does not know these feeds yet, `threegaps migrate` enters them: {_some(unknown)}")
    return problems


def _some(feeds: Sequence[str]) -> str:
    return listed(feeds)[1]


def watch_seen(settings: Settings, now: dt.datetime) -> dict[str, Any]:
    """Whether the watch lives, by its heartbeat; on one machine its process is looked at, too."""
    beat = heartbeat.last_beat(settings)
    state = heartbeat.state(settings, now)
    is_well = state == "running"
    return {
        "state": state,
        "pid": beat.pid if beat else None,
        "last_beat_at": beat.at if beat else None,
        "pass_seconds": beat.pass_seconds if beat else None,
        "not_looked_at": list(beat.not_looked_at) if beat else [],
        "runbook": None if is_well else heartbeat.RUNBOOK,
        "command": None if is_well else heartbeat.COMMAND,
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


def _services(
    settings: Settings, around: MachineReading, watch: Mapping[str, Any], *, is_starting: bool = False
) -> list[dict[str, Any]]:
    """The services as the supervisor accounts for them, and as they are seen; on a server Airflow's parts as it says.

    A process that is there may hang: its heart does not beat, or it does not answer.

    Args:
        is_starting: The supervisor starts them, and accounts for those alone that it has started.
    """
    if settings.is_server:
        parts = around.airflow.parts if around.airflow else {}
        return [
            {
                "name": part.replace("_", " "),
                "state": _in_a_word(parts.get(part)),
                "pid": None,
                "restarts": None,
            }
            for part in AIRFLOW_PARTS
        ]
    seen = _seen(around, watch)
    found = [
        {
            "name": one.name,
            "state": seen.get(one.name, one.state) if one.state == "running" else one.state,
            "pid": one.process_id,
            "restarts": one.restarts,
        }
        for one in around.services or reading_machine.services(settings) or ()
    ]
    there = {one["name"] for one in found}
    to_come = [name for name in _OWN_SERVICES if name not in there and (name != "sandbox" or settings.is_sandbox)]
    return found + [
        {"name": name, "state": "starting", "pid": None, "restarts": None} for name in to_come if is_starting
    ]


def _seen(around: MachineReading, watch: Mapping[str, Any]) -> dict[str, str]:
    """What is seen of services whose processes may be there, of those alone that are not well."""
    seen = {}
    if around.airflow is not None:
        if not around.airflow.answers:
            seen["api-server"] = "silent"
        seen |= {part.replace("_", "-"): "hanging" for part, said in around.airflow.parts.items() if said != "healthy"}
    if around.warehouse is not None and not around.warehouse.answers:
        seen["postgres"] = "silent"
    if any(not server.answers for server in around.sandbox or ()):
        seen["sandbox"] = "silent"
    if watch["state"] == "hung":
        seen["watch"] = "hanging"
    return seen


def _in_a_word(state: str | None) -> str:
    return "running" if state == "healthy" else "hanging" if state else "silent"


def _warehouse(settings: Settings, pending: Sequence[int]) -> dict[str, Any]:
    return {
        "release": list(queries.ask(settings, queries.CURRENT_RELEASE)),
        "pending": list(queries.ask(settings, queries.PENDING, {"pending": list(pending)})),
        "held": queries.held(settings),
        "build": list(queries.ask(settings, LAST_BUILD)),
    }


def show(page: dict[str, Any], *, with_all: bool = False) -> None:
    """The page for people: what is wrong, then how all stands, in a few lines where all is well.

    Args:
        with_all: Every incident, feed and service, and what waits for a build, feed by feed.
    """
    shown = page["incidents"] if with_all else page["incidents"][:_MOST_INCIDENTS]
    for one in shown:
        _show_incident(one)
    if rest := Counter(one["kind"] for one in page["incidents"][len(shown) :]):
        kinds = ", ".join(f"{named(INCIDENT_KINDS, kind)} {count}" for kind, count in rest.items())
        console.print(f"! and {rest.total()} more, `threegaps status --all` shows them: {kinds}", style="yellow")
    told = {both(one["title_zh"], one["title_en"]) for one in page["incidents"]}
    said_of_watch = of_watch(page["watch"])
    for problem in page["problems"]:
        if problem not in told:
            console.print(f"! {problem}", style="yellow", markup=False)
        if problem in said_of_watch:
            show_what_to_do(page["watch"])
    for one in page.get("resolved", ()):
        title = both(one["title_zh"], one["title_en"])
        said = f"resolved by {one['closed_by']} at {cell(one['closed_at'])}: {one['resolution']}"
        console.print(visible(f"#{one['incident_id']} {title}"), style="dim", markup=False)
        console.print(Padding(in_language(visible(said)), (0, 0, 0, 4), expand=False))
    for reason in page["not_looked_at"]:
        console.print(f"could not be looked at: {reason}", style="yellow", markup=False)
    for note in page["notes"]:
        console.print(note, style="dim", markup=False)
    if page["state"] == "fine":
        console.print("Nothing is seen that somebody should look at.", markup=False)
    if "feeds" in page:
        _show_feeds(page, with_all=with_all)
        _show_release(page, with_all=with_all)
    _show_services(page, with_all=with_all)


def _show_incident(one: Mapping[str, Any]) -> None:
    """What it is, since when and why, what it holds up, what to do."""
    style = "red" if one["gravity"] == "critical" else "yellow"
    number = f"#{one['incident_id']} " if one["incident_id"] else ""
    gravity = both(*INCIDENT_GRAVITIES[one["gravity"]])
    console.print(f"! {number}{gravity}: {both(one['title_zh'], one['title_en'])}", style=style, markup=False)
    seen = f"seen at {cell(one['seen_at'])}, {both(one['lasting_zh'], one['lasting_en'])}"
    if one["acknowledged_by"]:
        seen += f", acknowledged by {one['acknowledged_by']}"
    if one["assigned_to"]:
        seen += f", assigned to {one['assigned_to']}"
    lines = [both(one["detail_zh"], one["detail_en"]), seen]
    if one["indicator_codes"]:
        lines.append(f"indicators held up: {len(one['indicator_codes'])}, of {', '.join(one['marts'])}")
    for line in filter(None, lines):
        console.print(Padding(unbroken(in_language(visible(line))), (0, 0, 0, 4), expand=False))
    show_what_to_do(one)


def show_what_to_do(one: Mapping[str, Any]) -> None:
    """The section of the runbook, and the command on a line of its own, whole, as it is copied."""
    for line in (f"what to do: {one['runbook']}", one["command"]):
        console.print(f"    {in_language(visible(line))}", soft_wrap=True)


def _show_feeds(page: Mapping[str, Any], *, with_all: bool) -> None:
    """How many feeds stand in which way, and those that somebody should look at."""
    feeds = page["feeds"]
    counted = Counter(feed["state"] for feed in feeds)
    states = ", ".join(f"{named(FEED_STATES, state)} {counted[state]}" for state in FEED_STATES if counted[state])
    console.print()
    console.print(f"Feeds: {len(feeds)}; {states}" if feeds else "Feeds: none", markup=False)
    shown = [feed for feed in feeds if with_all or feed["state"] not in QUIET_STATES]
    order = list(FEED_STATES)
    shown.sort(key=lambda feed: (order.index(feed["state"]), feed["feed"]))
    if shown:
        rows = [_feed_line(feed, with_all=with_all) for feed in shown]
        print_rows(rows, dispensable=("newest", "loaded_at", "refused_rows", "open_refusals"))
    judged = cell(last_moment(page["judged_at"]))
    if len(shown) < len(feeds):
        said = f"Deliveries are judged by {judged}; `threegaps status --all` lists every feed."
    else:
        said = f"Deliveries are judged by {judged}."
    console.print(said, style="dim", markup=False)


def _feed_line(feed: Mapping[str, Any], *, with_all: bool) -> dict[str, Any]:
    more = f" +{feed['deliveries_late'] - 1}" if feed["deliveries_late"] > 1 else ""
    line = {
        "feed": feed["feed"],
        "state": ", ".join(feed["states"]),
        "newest": feed["newest_delivery"],
        "late": f"{feed['late_delivery']}{more}" if feed["late_delivery"] else None,
        "due_on": feed["late_since"] or feed["due_on"],
        "days_late": feed["days_late"] or None,
    }
    if with_all:
        line |= {
            "loaded_at": feed["newest_loaded_at"],
            "refused_rows": feed["refused_rows"],
            "open_refusals": feed["open_refusals"],
        }
    return line


def _show_release(page: Mapping[str, Any], *, with_all: bool) -> None:
    """The release that serves, what waits for the next one, and what an undo holds back."""
    release = page["release"][0] if page["release"] else None
    console.print()
    if release is None:
        console.print("Release: none yet", markup=False)
    else:
        console.print(
            f"Release: {release['release_id']} of {cell(release['released_at'])}, as of {cell(release['as_of'])}",
            markup=False,
        )
    build = page["build"][0] if page["build"] else None
    if build is not None:
        ended = f", {cell(build['finished_at'])}" if build["finished_at"] else ""
        said = f": {build['message']}" if build["message"] and build["status"] != "released" else ""
        status = named(BUILD_STATUSES, build["status"])
        console.print(f"Last build: {build['build_id']}, {status}{ended}{said}", markup=False)
    if batches := sum(one["batches"] for one in page["pending"]):
        oldest = cell(min(one["oldest"] for one in page["pending"]))
        count = len(page["pending"])
        console.print(
            f"Waiting for a build: batches {batches}, of feeds {count}, the oldest since {oldest}", markup=False
        )
        if with_all:
            print_rows(page["pending"])
    if page["held"]:
        print_rows([_held_line(held) for held in page["held"]], title="Held back by an undo")
        console.print("`threegaps release free --release` and the undo's number frees all that it holds back.")


def _held_line(held: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: held[name] for name in ("batch_id", "model", "feed", "delivery", "held_by_release_id", "note")},
        "indicators": len(held["indicators"]),
        "keeps_back": ", ".join(held["keeps_back"]),
    }


def _show_services(page: Mapping[str, Any], *, with_all: bool) -> None:
    """The services in a line, and where Airflow and the warehouse are reached, unless none runs."""
    services = page["services"]
    is_starting = any(one["state"] == "starting" for one in services)
    console.print()
    if with_all and services:
        print_rows([{name: one[name] for name in ("name", "state", "pid", "restarts")} for one in services])
    elif not services:
        console.print("Services: none")
        return
    else:
        run = ", ".join(one["name"] for one in services if one["state"] == "running")
        ill = ", ".join(
            f"{one['name']} {named(SERVICE_STATES, one['state'])}" for one in services if one["state"] != "running"
        )
        if is_starting:
            count = sum(one["state"] == "running" for one in services)
            console.print(f"Services: {count} of {len(services)} run: {run or '-'}", markup=False)
        elif not ill:
            console.print(f"Services: all run: {run}", markup=False)
        elif run:
            console.print(f"Services: {ill}; the others run: {run}", markup=False)
        else:
            console.print(f"Services: {ill}", markup=False)
    console.print(f"Airflow: {page['airflow']}", markup=False)
    readers = page["readers"]
    if readers["address"]:
        login = f"login {readers['login']}, its password in {readers['password_in']}; " if readers["login"] else ""
        console.print(
            f"Readers 读者: {readers['address']}, database {readers['database']}, schema marts; {login}"
            f"others: `{readers['more_logins']}`, `threegaps reader list`",
            markup=False,
        )
