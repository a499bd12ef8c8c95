"""Commands for incidents: list them, look at one, acknowledge, assign and resolve it; and the watch that sees them."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from threegaps.cli import alerting
from threegaps.cli.options import By, Json, Limit
from threegaps.settings import SHANGHAI, Settings

if TYPE_CHECKING:
    import psycopg

    from threegaps.ledger.incidents import Incident

group = typer.Typer(invoke_without_command=True, no_args_is_help=False)
watching = typer.Typer(invoke_without_command=True, no_args_is_help=False)
watching.command("check")(alerting.check)
watching.command("test-message")(alerting.send_test_message)

_LEDGER_SECONDS = 35.0
Number = Annotated[int, typer.Argument(help="An incident, see `threegaps incidents`.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    app.add_typer(group, name="incidents")
    app.add_typer(watching, name="watch")


@group.callback()
def list_incidents(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Closed ones too, the newest first.")] = False,
    limit: Limit = 50,
    json_: Json = False,
) -> None:
    """What somebody should look at: open incidents, the gravest and then the oldest first."""
    if context.invoked_subcommand is not None:
        return
    from threegaps.cli.output import answer
    from threegaps.ledger import incidents

    settings = Settings.load()
    with _ledger(settings) as connection:
        if all_:
            found, total = incidents.latest_incidents(connection, limit=limit), incidents.count_incidents(connection)
        else:
            found = incidents.open_incidents(connection)
            total = len(found)
    lines = [as_json(one) if json_ else _line(one, all_) for one in found]
    answer(lines, as_json=json_, limit=limit, total=total)
    _tell_of_watch(settings, as_json=json_)


def _tell_of_watch(settings: Settings, *, as_json: bool) -> None:
    """Beside incidents, of which there may be more while it does not look: that the watch does not."""
    from threegaps.cli.output import console, errors
    from threegaps.cli.status_page import of_watch, show_what_to_do, watch_seen
    from threegaps.watch.reading_machine import supervisor_state

    if supervisor_state(settings) in {"starting", "stopping"}:
        return
    watch = watch_seen(settings, dt.datetime.now(SHANGHAI))
    for problem in of_watch(watch):
        (errors if as_json else console).print(f"! {problem}", style="yellow", markup=False)
        if not as_json:
            show_what_to_do(watch)


@group.command()
def show(number: Number, json_: Json = False) -> None:
    """One incident: its cause, what it holds up, what to do, what has happened to it."""
    from threegaps.cli.output import print_json
    from threegaps.ledger import incidents

    with _ledger(Settings.load()) as connection:
        incident = incidents.find_incident(connection, number)
        changes = incidents.changes_of(connection, number)
    if json_:
        print_json(
            as_json(incident)
            | {
                "changes": [
                    {"change": one.change, "at": one.changed_at, "by": one.changed_by, "note": one.note}
                    for one in changes
                ]
            }
        )
        return
    _page(incident, changes)


@group.command()
def acknowledge(number: Number, by: By = None, json_: Json = False) -> None:
    """Say that somebody has taken notice and looks after it."""
    from threegaps.ledger import incidents

    _changed(
        lambda connection, now: incidents.acknowledge(connection, number, by=by or getpass.getuser(), at=now), json_
    )


@group.command()
def assign(
    number: Number,
    to: Annotated[str, typer.Option("--to", help="Who is to look after it.")],
    by: By = None,
    json_: Json = False,
) -> None:
    """Give an incident to somebody."""
    from threegaps.ledger import incidents

    _changed(
        lambda connection, now: incidents.assign(connection, number, to=to, by=by or getpass.getuser(), at=now), json_
    )


@group.command()
def resolve(
    number: Number,
    why: Annotated[str, typer.Option("--why", help="Why it need not be looked at any more; kept in the ledger.")],
    by: By = None,
    json_: Json = False,
) -> None:
    """Close an incident by hand; while its cause lasts it stays closed, unless that gets graver.

    Incidents close by themselves when their cause is gone. Who resolved this one and why, the watch
    tells those who were told of its opening.
    """
    from threegaps.ledger import incidents

    _changed(
        lambda connection, now: incidents.resolve(connection, number, by=by or getpass.getuser(), why=why, at=now),
        json_,
    )


@watching.callback()
def watch(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Look once, keep and tell what changed, and end.")] = False,
    json_: Json = False,
) -> None:
    """Look every quarter of a minute, keep incidents, tell people; `up` and docker-compose.yml start it."""
    if context.invoked_subcommand is not None:
        return
    import os
    import sys

    if not once:
        # In a process of its own kind: the command line's imports would stay in memory for as long as it runs.
        os.execv(sys.executable, [sys.executable, "-m", "threegaps.watch"])  # noqa: S606
    from threegaps.cli.output import both, coded, console, print_json
    from threegaps.watch.service import Watch, causes_of

    looked = Watch(Settings.load()).once(dt.datetime.now(SHANGHAI))
    causes = causes_of(looked)
    if json_:
        print_json(
            {
                "causes": [
                    {"key": one.key, "gravity": one.gravity, "title_zh": one.title_zh, "title_en": one.title_en}
                    for one in causes
                ],
                "not_looked_at": [str(one) for one in looked.not_looked_at],
            }
        )
        return
    for one in causes:
        console.print(f"{coded('gravity', one.gravity)}: {both(one.title_zh, one.title_en)}", soft_wrap=True)
    for reason in looked.not_looked_at:
        console.print(f"could not be looked at: {reason}", markup=False, soft_wrap=True)
    if not causes:
        console.print("Nothing is seen that somebody should look at.")


@contextlib.contextmanager
def _ledger(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The warehouse, each question with a limit of time: of incidents is asked just when it may hang."""
    import psycopg

    from threegaps.errors import ServiceError
    from threegaps.ledger.odd_moments import take_odd_moments
    from threegaps.watch import reading_machine
    from threegaps.watch.deadlines import DeadlineError, deadline

    try:
        with deadline(_LEDGER_SECONDS), reading_machine.connect(settings) as connection:
            take_odd_moments(connection)
            yield connection
    except (psycopg.Error, DeadlineError) as error:
        if not reading_machine.is_down(error):
            raise
        said = reading_machine.unanswered(settings, error).said
        raise ServiceError(
            f"The warehouse, where incidents are kept, does not answer: {said}.",
            advice="see `threegaps status`; what the watch sees meanwhile stands in `watch/journal.json` of the home.",
        ) from None


def as_json(incident: Incident) -> dict[str, Any]:
    """An incident as JSON has it, with response and resolution times in seconds, and what to do."""
    import dataclasses

    from threegaps.watch.kinds import command, runbook

    return dataclasses.asdict(incident) | {
        "response_seconds": incident.response_seconds,
        "resolution_seconds": incident.resolution_seconds,
        "runbook": runbook(incident.kind),
        "command": command(incident.kind, incident.feed),
    }


def _changed(change: Any, as_json_: bool) -> None:
    from threegaps.cli.output import console, print_json

    with _ledger(Settings.load()) as connection, connection.transaction():
        incident: Incident = change(connection, dt.datetime.now(SHANGHAI))
    if as_json_:
        print_json(as_json(incident))
    else:
        console.print(f"Incident {incident.incident_id}: {_state(incident)}.", markup=False, soft_wrap=True)


def _state(incident: Incident) -> str:
    if incident.closed_at is not None:
        return f"closed by {incident.closed_by}: {incident.resolution}"
    parts = [f"acknowledged by {incident.acknowledged_by}" if incident.acknowledged_by else "open"]
    parts += [f"assigned to {incident.assigned_to}"] if incident.assigned_to else []
    return ", ".join(parts)


def _line(incident: Incident, with_closed: bool) -> dict[str, Any]:
    from threegaps.labels import INCIDENT_GRAVITIES, both
    from threegaps.translations import say

    line: dict[str, Any] = {
        "incident_id": incident.incident_id,
        "gravity": both(INCIDENT_GRAVITIES, incident.gravity),
        "cause_zh": incident.title_zh,
        "cause_en": incident.title_en,
        "seen_at": incident.opened_at,
        # Before the first build it is not known, and nothing is said.
        "indicators_held_up": len(incident.indicator_codes) or None,
        "state": say(_state(incident)),
    }
    return line | ({"closed_at": incident.closed_at} if with_closed else {})


def _page(incident: Incident, changes: Any) -> None:
    from threegaps.cli.output import both, cell, coded, console, print_rows
    from threegaps.translations import say
    from threegaps.watch.kinds import command, runbook
    from threegaps.watch.looks.wording import lasting

    def took(seconds: float) -> str:
        return both(*lasting(incident.opened_at, incident.opened_at + dt.timedelta(seconds=seconds)))

    until = incident.closed_at or dt.datetime.now(SHANGHAI)
    gravity = coded("gravity", incident.gravity)
    lines = [
        f"Incident {incident.incident_id}, {gravity}: {both(incident.title_zh, incident.title_en)}",
        both(incident.detail_zh, incident.detail_en),
        f"seen at {cell(incident.opened_at)}, {both(*lasting(incident.opened_at, until))}; {say(_state(incident))}",
    ]
    if incident.indicator_codes:
        lines.append(
            f"indicators held up: {len(incident.indicator_codes)}: {', '.join(incident.indicator_codes)};"
            f" marts: {', '.join(incident.marts)}"
        )
    if incident.response_seconds is not None:
        lines.append(f"response: {took(incident.response_seconds)}")
    if incident.resolution_seconds is not None:
        lines.append(f"resolution: {took(incident.resolution_seconds)}")
    lines.append(f"what to do: {runbook(incident.kind)}; `{command(incident.kind, incident.feed)}`")
    for line in lines:
        if line:
            console.print(line, markup=False, soft_wrap=True)
    print_rows([_change_line(one, incident) for one in changes], title="What has happened")


def _change_line(one: Any, incident: Incident) -> dict[str, Any]:
    """A change of an incident; a note that only repeats its title, in one language, is left out."""
    from threegaps.translations import say

    note = None if one.note == incident.title_en else say(one.note or "")
    return {"at": one.changed_at, "change": one.change, "by": one.changed_by, "note": note}
