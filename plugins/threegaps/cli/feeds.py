"""Commands for feeds: feeds, quarantine, backfill."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from threegaps.cli import pauses
from threegaps.cli.options import Feed, Json, Limit
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
quarantine = typer.Typer(no_args_is_help=True, help="Refused rows: look at them, send them back, take repairs in.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    pauses.register(group)
    app.add_typer(group, name="feeds")
    app.command()(backfill)
    app.add_typer(quarantine, name="quarantine")


@group.callback(invoke_without_command=True)
def feeds(context: typer.Context, json_: Json = False) -> None:
    """Every feed: where it comes from, when it is due, how it stands, and the counts of all its loaded batches."""
    if context.invoked_subcommand is not None:
        return
    import psycopg

    from threegaps.cli import queries
    from threegaps.cli.output import answer, cell, console
    from threegaps.contracts.loader import load_contracts
    from threegaps.ledger.expected import is_being_set_up, judged_at, judged_day, standing
    from threegaps.watch.gathering import not_entered

    settings = Settings.load()
    loaded = {row["feed"]: row for row in queries.ask(settings, queries.FEEDS)}
    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
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
    import psycopg

    from threegaps.cli import output
    from threegaps.cli.output import cell, console, named, print_json, print_rows
    from threegaps.ledger.expected import counties_owing, is_being_set_up, judged_at, standing
    from threegaps.standards.areas import county_named
    from threegaps.watch.gathering import not_entered
    from threegaps.watch.looks.wording import listed

    settings = _knowing(feed)
    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
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
        for delivery, codes in sorted(lacking.items())
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
    import psycopg

    from threegaps.cli.output import answer
    from threegaps.ledger.attempts import count_attempts, latest_attempts

    settings = _knowing(feed)
    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
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
                    "unloaded": sum(_count(one) for one in alike) or None,
                }
            )
    print_rows(rows, title=f"Backfill of {plan.feed}")
    if plan.is_shut_out:
        console.print("Nothing is run: every run would fail.", markup=False)
    elif not plan.running():
        console.print("Nothing is run; --again runs what has succeeded before.", markup=False)


def _count(one: backfilling.Planned) -> int:
    return 0 if one.unloaded is None else one.unloaded.landed + one.unloaded.corrections + one.unloaded.parts


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


@quarantine.command("show")
def show_refused(
    feed: Feed = None,
    delivery: Annotated[str | None, typer.Option(help="Only this delivery.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this rule.")] = None,
    batch: Annotated[int | None, typer.Option(help="Only this batch.")] = None,
    limit: Limit = 20,
    json_: Json = False,
) -> None:
    """Refused rows that nothing has closed, with every reason."""
    from threegaps.cli import asked, queries
    from threegaps.cli.output import console, print_json, tell_of_more

    settings = _knowing(feed)
    asked.check_delivery(settings, delivery, feed)
    asked.check_rule(settings, rule, feed)
    asked.check_batch(settings, batch, feed)
    wanted: dict[str, Any] = {"feed": feed, "delivery": delivery, "rule": rule, "batch": batch}
    rows, total = queries.ask_some(settings, queries.REFUSED_ROWS, wanted, limit=limit)
    if json_:
        print_json(rows)
    elif rows:
        refused_page(rows)
    else:
        named = ", ".join(f"{name} {value}" for name, value in wanted.items() if value is not None)
        console.print(f"No refused row is open for {named}." if named else "No refused row is open.")
    tell_of_more(len(rows), total, as_json=json_)


def refused_page(rows: Sequence[Mapping[str, Any]]) -> None:
    """Refused rows for people: where each is from, its reasons in both languages, what was sent."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from threegaps.cli.output import both, cell, console, pair
    from threegaps.standards.visible import one_line
    from threegaps.translations import say

    for row in rows:
        county = row["county_code"] if row["county_code"] != "unknown" else pair("不详", "not known")
        where = f"{row['feed']} {row['delivery']}, county {county}, refused {cell(row['refused_at'])}"
        console.print(Text.assemble((one_line(row["row_token"]), "bold"), f"  {say(where)}"))
        reasons = Table.grid(padding=(0, 1))
        reasons.add_column(overflow="fold", max_width=32)
        reasons.add_column(overflow="fold")
        for reason in row["reasons"]:
            reasons.add_row(
                Text(reason["rule"]), Text(one_line(both(reason.get("message_zh"), reason.get("message_en"))))
            )
        console.print(Padding(reasons, (0, 0, 0, 2)))
        sent = ", ".join(f"{name}={'' if value is None else value}" for name, value in row["row_data"].items())
        console.print(Padding(Text(one_line(sent), style="dim", overflow="fold"), (0, 0, 0, 2)))


@quarantine.command("rules")
def count_refused(feed: Feed = None, json_: Json = False) -> None:
    """How many open refused rows each rule has, by feed."""
    from threegaps.cli import queries
    from threegaps.cli.output import answer

    none = f"No refused row of {feed} is open." if feed else "No refused row is open."
    found = queries.ask(_knowing(feed), queries.REFUSED_BY_RULE, {"feed": feed})
    answer(found, as_json=json_, none=none, dispensable=("first_delivery", "last_delivery"))


@quarantine.command("export")
def export_refused(
    feed: Annotated[str, typer.Argument(help="The feed, written department/name; or a department: all its feeds.")],
    file: Annotated[
        Path,
        typer.Argument(help="Where to write: .xlsx or .csv, readable by you only; of a department, a folder."),
    ],
    delivery: Annotated[str | None, typer.Option(help="Only this delivery.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this rule.")] = None,
    county: Annotated[str | None, typer.Option(help="Only rows of this county, by its code.")] = None,
    batch: Annotated[int | None, typer.Option(help="Only this batch.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    json_: Json = False,
) -> None:
    """A workbook of refused rows for the department: tokens, values, wrong cells marked, reasons."""
    import psycopg

    from threegaps.cli import asked
    from threegaps.cli.output import console, print_json
    from threegaps.returned import check_target, make_folder
    from threegaps.warehouse import quarantine as refused

    settings = Settings.load()
    chosen = asked.contracts_of_department(settings, feed) if "/" not in feed else asked.contracts_of(settings, feed)
    asked.check_batch(settings, batch, feed if "/" in feed else None)
    for contract in chosen if len(chosen) == 1 else ():
        asked.check_delivery(settings, delivery, contract.feed)
        asked.check_rule(settings, rule, contract.feed)
    asked.check_county(county)
    if "/" in feed:
        targets = {contract.feed: file for contract in chosen}
    else:
        make_folder(file)
        targets = {contract.feed: file / f"{contract.feed.replace('/', '_')}.xlsx" for contract in chosen}
    for target in targets.values():
        check_target(target, force=force)
    written: list[dict[str, Any]] = []
    with psycopg.connect(settings.warehouse_dsn()) as connection:
        for contract in chosen:
            target = targets[contract.feed]
            count = refused.export(
                connection,
                contract,
                target,
                batch_id=batch,
                delivery=delivery,
                rule=rule,
                county_code=county,
                is_synthetic=settings.is_sandbox,
                # Of a department's feeds only those that have something to send back.
                may_be_empty="/" in feed,
            )
            if count or "/" in feed:
                written.append({"feed": contract.feed, "rows": count, "file": str(target)})
    if json_:
        print_json(written[0] if "/" in feed else written)
        return
    for one in written:
        console.print(f"{one['rows']:,} refused rows of {one['feed']} written to {one['file']}", markup=False)
    if not written:
        console.print(f"No refused row of {feed} is open.")


@quarantine.command("replay")
def replay_refused(
    feed: Annotated[str, typer.Argument(help="The feed, written department/name.")],
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The file that came back from the department.")
    ],
    json_: Json = False,
) -> None:
    """Lay a department's repairs over the refused rows and judge them again, in a batch of their own."""
    from threegaps import feed_run
    from threegaps.cli.output import console, print_json
    from threegaps.one_machine import environment

    environment.apply(Settings.load())
    outcome = feed_run.replay(feed, file)
    if json_:
        print_json(dataclasses.asdict(outcome))
    else:
        console.print(
            f"Batch {', '.join(map(str, outcome.batch_ids))}: accepted {outcome.accepted:,}, refused again"
            f" {outcome.refused:,}, left as they were {outcome.untouched:,}. `threegaps build` takes it up.",
            markup=False,
        )


def _knowing(feed: str | None) -> Settings:
    """The settings, once *feed* is known to have a contract: a mistyped name must not read as "none"."""
    from threegaps.contracts.loader import find_contract

    settings = Settings.load()
    if feed is not None:
        find_contract(settings.contracts_folder, feed)
    return settings
