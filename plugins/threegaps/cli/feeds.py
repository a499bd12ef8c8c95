"""Commands for feeds: feeds, backfill."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from threegaps.calendar import in_order
from threegaps.cli import asked, pauses
from threegaps.cli.options import Json, Limit
from threegaps.labels import FEED_STATES, STATUTORY_MARKS, both
from threegaps.settings import Settings
from threegaps.standards.moments import last_moment

if TYPE_CHECKING:
    from threegaps.contracts.model import Contract
    from threegaps.orchestration import backfilling

_MOST_KEYS = 6
# What a document for machines has besides.
_OF_STANDING = ("late", "incomplete", "missing_counties", "paused", "paused_until", "pause_reason", "empty")

group = typer.Typer(help="Feeds: what is known of each, and its contract in full.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    pauses.register(group)
    app.add_typer(group, name="feeds")
    app.command()(backfill)


@group.callback(invoke_without_command=True)
def feeds(context: typer.Context, json_: Json = False) -> None:
    """Every feed: where it comes from, when it is due, how it stands, and the counts of all its loaded batches."""
    if context.invoked_subcommand is not None:
        return
    from threegaps.cli import queries
    from threegaps.cli.output import answer, cell, console
    from threegaps.contracts.loader import load_contracts
    from threegaps.ledger.expected import is_being_set_up, judged_at, judged_day, standing
    from threegaps.watch.gathering import not_entered

    settings = Settings.load()
    loaded = {row["feed"]: row for row in queries.ask(settings, queries.FEEDS)}
    with queries.connect(settings) as connection:
        now = judged_at(connection)
        stands = {one.feed: one for one in standing(connection, now)}
        unknown = not_entered(is_being_set_up=is_being_set_up(connection))
    rows = []
    for contract in load_contracts(settings.contracts_folder):
        counts, own = loaded.get(contract.feed, {}), stands.get(contract.feed)
        rows.append(
            {
                "feed": contract.feed,
                "title_zh": contract.title_zh,
                "title_en": contract.title_en,
                "protocol": contract.protocol,
                "cadence": contract.cadence,
                "delivery": contract.delivery_kind,
                "due": contract.due_day,
                "due_delivery": own and own.delivery,
                "due_at": own and own.due_at,
                "next_due_at": own and own.next_due_at,
                "state": own.state if own else unknown,
                "days_late": own and own.days_late,
                "mark": mark_word(contract, judged_day(now)),
                "last_delivery": counts.get("last_delivery"),
                **{name: counts.get(name, 0) for name in ("batches", "received", "accepted", "refused", "duplicates")},
            }
        )
    if json_:
        for row in rows:
            own = stands.get(row["feed"])
            row |= {} if own is None else {name: getattr(own, name) for name in _OF_STANDING}
    dispensable = ("protocol", "delivery", "next_due_at", "mark", "duplicates", "accepted", "title", "due", "cadence")
    answer(rows, as_json=json_, none="There is no feed: the folder of contracts is empty.", dispensable=dispensable)
    if not json_:
        console.print(f"Deliveries are judged by {cell(last_moment(now))}.", markup=False)


def mark_word(contract: Contract, day: dt.date) -> str:
    """What a feed is by the Statistics Law on *day*, in a word or two: a record, or a form with its last day."""
    if contract.statutory_mark is None:
        return "未标明 not said"
    if contract.form is None:
        return both(STATUTORY_MARKS, contract.statutory_mark.kind)
    said = f"{both(STATUTORY_MARKS, contract.form.kind)} {contract.form.form_number} -{contract.form.valid_until}"
    return f"{said} 已过期 expired" if contract.form.is_expired(day) else said


@group.command("owed")
def show_owed(
    feed: Annotated[str, typer.Argument(help="The feed, written department/name.")],
    json_: Json = False,
) -> None:
    """What a feed owes: how it stands, which deliveries are late, and which counties lack, by name."""
    from threegaps.cli import output, queries
    from threegaps.cli.output import cell, console, named, print_json, print_rows
    from threegaps.ledger.expected import counties_owing, is_being_set_up, judged_at, standing
    from threegaps.standards.areas import county_named
    from threegaps.watch.gathering import not_entered
    from threegaps.watch.looks.wording import listed

    settings = asked.knowing(feed)
    with queries.connect(settings) as connection:
        now = judged_at(connection)
        own = next((one for one in standing(connection, now) if one.feed == feed), None)
        lacking = {} if own is None else own.counties_lacking()
        owing = counties_owing(connection, [(feed, delivery) for delivery in lacking])
        unknown = not_entered(is_being_set_up=is_being_set_up(connection))
    if json_:
        found = {"feed": feed, "state": unknown} if own is None else dataclasses.asdict(own)
        counts = {delivery: owing.get((feed, delivery), 0) for delivery in lacking}
        print_json({**found, "counties_owing": counts})
        return
    if own is None:
        console.print(f"{feed}: {named(FEED_STATES, unknown)}")
        return
    # That it fails, is stopped or shrinks is no matter of what it owes: `threegaps status` says it.
    console.print(f"{feed}, by what it owes: {named(FEED_STATES, own.state)}")
    if own.paused:
        console.print(f"Not owed until {cell(own.paused_until)}: {own.pause_reason}" if own.paused_until else
                      f"Not owed: {own.pause_reason}", markup=False)  # fmt: skip
    if own.deliveries_late:
        late = f"{own.deliveries_late}: {output.both(*listed(own.late))}"
        console.print(f"Late: {late}; since {cell(own.late_since)}", markup=False)
    elif own.delivery:
        console.print(f"The newest that is due: {own.delivery}, {cell(own.due_at)}", markup=False)
    if own.next_delivery:
        console.print(f"Next: {own.next_delivery}, due {cell(own.next_due_at)}", markup=False)
    rows = [
        {
            "delivery": delivery,
            "lacking": f"{len(codes)}/{max(len(codes), owing.get((feed, delivery), 0))}",
            "counties": ", ".join(county_named(code) for code in codes),
        }
        for delivery, codes in ((key, lacking[key]) for key in in_order(lacking))
    ]
    if rows:
        print_rows(rows, title="Counties that lack")
    console.print(f"Deliveries are judged by {cell(last_moment(now))}.", markup=False)


@group.command("attempts")
def list_attempts(
    feed: Annotated[str | None, typer.Argument(help="The feed, written department/name; by default all.")] = None,
    limit: Limit = 20,
    json_: Json = False,
) -> None:
    """Attempts to land and to load, the newest first: when, how they ended, and why."""
    from threegaps.cli import queries
    from threegaps.cli.output import answer
    from threegaps.ledger.attempts import count_attempts, latest_attempts

    settings = asked.knowing(feed)
    with queries.connect(settings) as connection:
        found, total = latest_attempts(connection, feed, limit=limit), count_attempts(connection, feed)
    rows = [dataclasses.asdict(one) for one in found]
    lines = rows if json_ else [_attempt_line(row) for row in rows]
    answer(lines, as_json=json_, title="Attempts", limit=limit, total=total)


def _attempt_line(row: Mapping[str, Any]) -> dict[str, Any]:
    address = None if row["host"] is None else f"{row['host']}:{row['port']}"
    return {
        "started_at": row["started_at"],
        "feed": row["feed"],
        "step": row["step"],
        "delivery": row["delivery"],
        "outcome": row["outcome"],
        "cause": row["cause"],
        "address": address,
        "made": row["landed_objects"] if row["step"] == "land" else row["batches"],
        "message_zh": row["message_zh"],
        "message_en": row["message_en"],
    }


@group.command("show")
def show_feed(
    feed: Annotated[str, typer.Argument(help="The feed, written department/name.")],
    expanded: Annotated[
        bool,
        typer.Option("--expanded", help="The contract in full: every derived rule, as Great Expectations runs it."),
    ] = False,
    in_warehouse: Annotated[
        bool, typer.Option("--in-warehouse", help="The contract of the raw table, as `datacontract test` takes it.")
    ] = False,
    json_: Json = False,
) -> None:
    """A feed's contract as it is written, in full or of its raw table: documents of the Open Data Contract Standard."""
    from threegaps.cli.output import print_json, write
    from threegaps.contracts.expanded import as_yaml, expand, plain
    from threegaps.contracts.loader import find_contract
    from threegaps.contracts.warehouse_form import warehouse_form
    from threegaps.errors import SettingsError

    if expanded and in_warehouse:
        raise SettingsError("--expanded and --in-warehouse are two forms.", advice="ask for one of them.")
    contract = find_contract(Settings.load().contracts_folder, feed)
    form = expand if expanded else warehouse_form if in_warehouse else None
    document = plain(contract.written) if form is None else form(contract)
    if json_:
        print_json(document)
    else:
        write(as_yaml(document).rstrip("\n"))


def backfill(
    feed: Annotated[str, typer.Argument(help="The feed, written department/name.")],
    first: Annotated[str, typer.Argument(help="First delivery, e.g. 2025-01.")],
    last: Annotated[str, typer.Argument(help="Last delivery, included.")],
    again: Annotated[bool, typer.Option("--again", help="Also deliveries whose run has succeeded.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
    json_: Json = False,
) -> None:
    """Run a feed's DAG once for each delivery between two, one after the other, through Airflow's scheduler.

    What has run before and failed or was cancelled runs again; what has been loaded runs again where something lies
    there that is not loaded, or with --again. A delivery that fails stops no other one. Where the department's system
    does not let us in nothing is run, and the command fails.
    """
    from threegaps.airflow_api import AirflowApi
    from threegaps.contracts.loader import find_contract
    from threegaps.one_machine import environment
    from threegaps.orchestration import backfilling

    settings = Settings.load()
    contract = find_contract(settings.contracts_folder, feed)
    wanted = backfilling.wanted_deliveries(contract, first, last)
    api = AirflowApi.of(settings)
    environment.apply(settings)
    plan = backfilling.plan(settings, api, contract, wanted, again=again)
    if not json_:
        _show_plan(plan)
    is_run = bool(plan.running()) and not dry_run and not plan.is_shut_out
    started = backfilling.start(api, contract, plan) if is_run else None
    if json_:
        _print_plan(plan, started)
    elif plan.running() and not plan.is_shut_out:
        _say_started(plan, started)
    if plan.fault is not None:
        if json_:
            # The document says it already, as `could_not_look`; a second one could not be read behind it.
            raise typer.Exit(1)
        raise plan.fault


def _show_plan(plan: backfilling.Plan) -> None:
    """What will run and what not, and why, for people."""
    from threegaps.cli.output import console, print_rows
    from threegaps.labels import BACKFILL_REASONS

    rows = []
    for why, (zh, en) in BACKFILL_REASONS.items():
        alike = [one for one in plan.deliveries if one.why == why]
        if alike:
            keys = [one.delivery for one in alike]
            shown = ", ".join(keys) if len(keys) <= _MOST_KEYS else f"{keys[0]} … {keys[-1]}"
            rows.append(
                {
                    "runs": alike[0].runs,
                    "count": len(keys),
                    "reason_zh": zh,
                    "reason_en": en,
                    "deliveries": shown,
                    "unloaded": sum(one.unloaded.count for one in alike if one.unloaded is not None) or None,
                }
            )
    print_rows(rows, title=f"Backfill of {plan.feed}")
    if plan.is_shut_out:
        console.print("Nothing is run: every run would fail.", markup=False)
    elif not plan.running():
        console.print("Nothing is run; --again runs what has succeeded before.", markup=False)


def _say_started(plan: backfilling.Plan, started: backfilling.Started | None) -> None:
    from threegaps.cli.output import console

    count = len(plan.running())
    if started is None:
        console.print(f"Nothing was run. Deliveries that would be without --dry-run: {count}.", markup=False)
        return
    console.print(
        f"Runs that are asked for: {count}, one after the other; one that fails stops no other. See the DAG's page, or"
        f" `threegaps feeds attempts {plan.feed}`.",
        markup=False,
    )
    if plan.is_paused:
        console.print("The DAG is paused: they wait until somebody lets it run.", markup=False)


def _print_plan(plan: backfilling.Plan, started: backfilling.Started | None) -> None:
    from threegaps.cli.output import print_json

    print_json(
        {
            "feed": plan.feed,
            "deliveries": [
                {
                    "delivery": one.delivery,
                    "runs": one.runs,
                    "why": one.why,
                    "unloaded": None if one.unloaded is None else dataclasses.asdict(one.unloaded),
                }
                for one in plan.deliveries
            ],
            "is_paused": plan.is_paused,
            "could_not_look": None if plan.fault is None else plan.fault.message,
            "backfill_id": None if started is None else started.backfill_id,
            "run_ids": [] if started is None else list(started.run_ids),
        }
    )
