"""Commands for refused rows: look at them, send them back, take repairs in, and tickets of what is out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from threegaps.cli import asked
from threegaps.cli.options import By, Feed, Json, Limit
from threegaps.settings import SHANGHAI, Settings

if TYPE_CHECKING:
    from threegaps.ledger.tickets import Ticket


group = typer.Typer(no_args_is_help=True, help="Refused rows: look at them, send them back, take repairs in.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    app.add_typer(group, name="quarantine")


@group.command("show")
def show_refused(
    feed: Feed = None,
    delivery: Annotated[str | None, typer.Option(help="Only this delivery.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this rule.")] = None,
    batch: Annotated[int | None, typer.Option(help="Only this batch.")] = None,
    limit: Limit = 20,
    json_: Json = False,
) -> None:
    """Refused rows that nothing has closed, with every reason."""
    from threegaps.cli import queries
    from threegaps.cli.output import console, print_json, tell_of_more

    settings = asked.knowing(feed)
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
    from threegaps.labels import COUNTIES
    from threegaps.returned import said_en, said_zh
    from threegaps.standards.visible import one_line
    from threegaps.translations import say
    from threegaps.warehouse.quarantine import reasons_of, sent_of

    for row in rows:
        county = pair(*COUNTIES[row["county_code"]]) if row["county_code"] in COUNTIES else row["county_code"]
        where = f"{row['feed']} {row['delivery']}, county {county}, refused {cell(row['refused_at'])}"
        console.print(Text.assemble((one_line(row["row_token"]), "bold"), f"  {say(where)}"))
        reasons = Table.grid(padding=(0, 1))
        reasons.add_column(overflow="fold", max_width=32)
        reasons.add_column(overflow="fold")
        for reason in reasons_of(row["reasons"]):
            reasons.add_row(Text(reason["rule"]), Text(one_line(both(said_zh(reason), said_en(reason)))))
        console.print(Padding(reasons, (0, 0, 0, 2)))
        sent = ", ".join(f"{name}={'' if value is None else value}" for name, value in sent_of(row["row_data"]).items())
        console.print(Padding(Text(one_line(sent), style="dim", overflow="fold"), (0, 0, 0, 2)))


@group.command("rules")
def count_refused(feed: Feed = None, json_: Json = False) -> None:
    """How many open refused rows each rule has, by feed; a row that broke two rules counts with each."""
    from threegaps.cli import queries
    from threegaps.cli.output import answer

    none = f"No refused row of {feed} is open." if feed else "No refused row is open."
    found = queries.ask(asked.knowing(feed), queries.REFUSED_BY_RULE, {"feed": feed, "delivery": None})
    answer(found, as_json=json_, none=none, dispensable=("first_delivery", "last_delivery"))


@group.command("export")
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
    sent_to: Annotated[
        str | None, typer.Option(help="To whom the rows go: a ticket is opened, and says when they were sent.")
    ] = None,
    by: By = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    json_: Json = False,
) -> None:
    """A workbook of refused rows for the department: tokens, values, wrong cells marked, reasons."""
    from threegaps.cli import queries
    from threegaps.cli.output import console, print_json
    from threegaps.ledger import tickets
    from threegaps.returned import check_target, make_folder
    from threegaps.warehouse import quarantine as refused

    settings = Settings.load()
    is_department = "/" not in feed
    chosen = asked.contracts_of_department(settings, feed) if is_department else asked.contracts_of(settings, feed)
    asked.check_batch(settings, batch, *(contract.feed for contract in chosen))
    only = chosen[0].feed if len(chosen) == 1 else None
    asked.check_delivery(settings, delivery, only)
    asked.check_rule(settings, rule, only)
    asked.check_county(county)
    sent_by = by or getpass.getuser()
    if sent_to is not None:
        tickets.check_named(sent_to, sent_by)
    if is_department:
        make_folder(file)
        targets = {contract.feed: file / f"{contract.feed.replace('/', '_')}.xlsx" for contract in chosen}
    else:
        targets = {feed: file}
    for target in targets.values():
        check_target(target, force=force)
    written: list[dict[str, Any]] = []
    # Each ticket stands once its file does: no load waits for the files of others.
    with queries.connect(settings) as connection:
        for contract in chosen:
            target = targets[contract.feed]
            rows = refused.export(
                connection,
                contract,
                target,
                batch_id=batch,
                delivery=delivery,
                rule=rule,
                county_code=county,
                is_synthetic=settings.is_sandbox,
                # Of a department's feeds only those that have something to send back.
                may_be_empty=not is_department,
            )
            ticket = None
            if rows and sent_to is not None:
                try:
                    ticket = tickets.open_ticket(
                        connection,
                        contract.feed,
                        rows,
                        sent_to=sent_to,
                        sent_by=sent_by,
                        file=target,
                        at=dt.datetime.now(SHANGHAI),
                    )
                except tickets.AlreadySentError as error:
                    # The same command again: the file is written anew, the days count from when the rows first went.
                    ticket = error.ticket_id
            if rows or not is_department:
                written.append({"feed": contract.feed, "rows": len(rows), "file": str(target), "ticket": ticket})
    if json_:
        print_json(written if is_department else written[0])
        return
    for one in written:
        console.print(f"{one['rows']:,} refused rows of {one['feed']} written to {one['file']}", markup=False)
        if one["ticket"] is not None:
            console.print(f"Ticket {one['ticket']} is open until they are mended or answered.")
    if not written:
        console.print(f"No refused row of {feed} is open.")


@group.command("replay")
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
            f" {outcome.refused:,}, left as they were {outcome.untouched:,}. The next build takes it up;"
            " `threegaps build` is one at once.",
            markup=False,
        )
        for one in outcome.left_aside:
            console.print(
                f"Left aside {one.rows:,} rows of batch {one.batch_id}, which was stopped, so that nothing of it was"
                f" loaded: have the department send delivery {one.delivery} again.",
                markup=False,
            )


@group.command("tickets")
def list_tickets(
    feed: Feed = None,
    every: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    limit: Limit = 50,
    json_: Json = False,
) -> None:
    """What was sent back and is not settled: when, to whom, for how long it has been out, which rows still wait."""
    from threegaps.cli import queries
    from threegaps.cli.output import answer
    from threegaps.ledger import tickets

    settings = asked.knowing(feed)
    now = dt.datetime.now(SHANGHAI)
    with queries.connect(settings) as connection:
        found = tickets.tickets(connection, feed=feed, newest=None if every else 0)
    none = f"No ticket of {feed} is open." if feed else "No ticket is open."
    answer([_ticket_row(one, now) for one in found], as_json=json_, limit=limit, none=none, dispensable=("sent_by",))


@group.command("ticket")
def show_ticket(
    ticket: Annotated[int, typer.Argument(help="The ticket's number.")], limit: Limit = 50, json_: Json = False
) -> None:
    """The rows that a ticket sent back, and how each stands: refused, accepted since, left out, or not known."""
    from threegaps.cli import queries
    from threegaps.cli.output import answer
    from threegaps.ledger import tickets

    with queries.connect(Settings.load()) as connection:
        tickets.find_ticket(connection, ticket)
        rows = [dataclasses.asdict(one) for one in tickets.rows_of(connection, ticket)]
    answer(rows, as_json=json_, limit=limit, dispensable=("batch_id", "accepted_by_batch_id", "again_row_token"))


@group.command("answered")
def answer_ticket(
    ticket: Annotated[int, typer.Argument(help="The ticket's number.")],
    note: Annotated[str, typer.Option("--note", help="What the department said, where no row comes back.")],
    by: By = None,
    json_: Json = False,
) -> None:
    """Note what a department answered to a ticket, such as that its rows are right: it is settled."""
    from threegaps.cli import queries
    from threegaps.cli.output import console, print_json
    from threegaps.ledger import tickets

    now = dt.datetime.now(SHANGHAI)
    with queries.connect(Settings.load()) as connection, connection.transaction():
        one = tickets.answer(connection, ticket, said=note, by=by or getpass.getuser(), at=now)
    if json_:
        print_json(_ticket_row(one, now))
    else:
        console.print(f"Ticket {one.ticket_id} of {one.feed} is settled.")


def _ticket_row(ticket: Ticket, now: dt.datetime) -> dict[str, Any]:
    return {
        "ticket_id": ticket.ticket_id,
        "feed": ticket.feed,
        "sent_to": ticket.sent_to,
        "sent_by": ticket.sent_by,
        "sent_at": ticket.sent_at,
        "age_days": ticket.age_days(now),
        "rows": ticket.rows,
        "open_rows": ticket.open_rows,
        "left_out_rows": ticket.left_out_rows,
        "unknown_rows": ticket.unknown_rows,
        "mended_at": ticket.mended_at,
        "answer": ticket.answer,
        "answered_at": ticket.answered_at,
    }
