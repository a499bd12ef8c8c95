"""Commands for batches: look at them, judge them again, accept a stopped one."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from threegaps.cli.options import By, Feed, Json, Limit
from threegaps.settings import Settings

batches = typer.Typer(invoke_without_command=True, no_args_is_help=False)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    app.add_typer(batches, name="batches")
    app.command()(judge_again)


@batches.callback()
def list_batches(
    context: typer.Context,
    feed: Feed = None,
    status: Annotated[str | None, typer.Option(help="loaded, stopped, failed, superseded or judging.")] = None,
    limit: Limit = 20,
    json_: Json = False,
) -> None:
    """Batches with their counts: received = accepted + refused + duplicates."""
    if context.invoked_subcommand is not None:
        return
    from threegaps.cli import asked, queries
    from threegaps.cli.output import answer

    settings = Settings.load()
    if feed is not None:
        asked.contracts_of(settings, feed)
    asked.check_status(status)
    rows, total = queries.ask_some(settings, queries.BATCHES, {"feed": feed, "status": status}, limit=limit)
    none = "There is no batch yet."
    if feed and status:
        none = f"There is no batch of {feed} with the status {status}."
    elif feed:
        none = f"There is no batch of {feed} yet."
    elif status:
        none = f"There is no batch with the status {status}."
    dispensable = ("inserted", "changed", "unchanged", "withdrawn", "stop_rule", "started_at", "duplicates")
    answer(rows, as_json=json_, total=total, none=none, dispensable=dispensable)


@batches.command("show")
def show_batch(
    batch: Annotated[int, typer.Argument(help="A batch, see `threegaps batches`.")],
    data_docs: Annotated[
        Path | None,
        typer.Option("--data-docs", help="A new folder for Great Expectations' Data Docs; judged again, in memory."),
    ] = None,
    structural: Annotated[
        bool,
        typer.Option("--structural", help="Where the lines stand that are no rows, and why: totals, notes, blanks."),
    ] = False,
    limit: Limit = 100,
    json_: Json = False,
) -> None:
    """What came of a batch, rule by rule; with --data-docs as pages, row tokens in place of values."""
    from threegaps.cli import asked, queries
    from threegaps.cli.output import answer, console, print_json

    settings = Settings.load()
    asked.check_batch(settings, batch, None)
    if structural:
        rows, total = queries.ask_some(settings, queries.STRUCTURAL_LINES, {"batch": batch}, limit=limit)
        answer(rows, as_json=json_, total=total, none=f"Every line of batch {batch} is a row.")
        return
    if data_docs is None:
        rows, total = queries.ask_some(settings, queries.CHECKS, {"batch": batch}, limit=limit)
        none = f"No rule has been held against batch {batch}."
        answer(rows, as_json=json_, total=total, none=none, dispensable=("expectation", "column_name"))
        return
    from threegaps import feed_run
    from threegaps.one_machine import environment

    environment.apply(settings)
    docs = feed_run.document(batch, data_docs)
    if json_:
        print_json(
            {
                "batch_id": batch,
                "page": str(docs.page),
                "rows": docs.rows,
                "received": docs.received,
                "is_same_contract": docs.is_same_contract,
            }
        )
        return
    share = "all" if docs.rows == docs.received else f"{docs.rows:,} of {docs.received:,}"
    console.print(f"{docs.page}: {share} rows of batch {batch}; open it in a browser.", markup=False)
    if not docs.is_same_contract:
        console.print("The contract has changed since the batch was judged: the pages are by the contract of now.")


@batches.command()
def accept(
    batch: Annotated[int, typer.Argument(help="A stopped batch, see `threegaps batches --status stopped`.")],
    why: Annotated[str, typer.Option("--why", help="Why it is meant as it is; kept in the ledger.")],
    by: By = None,
    json_: Json = False,
) -> None:
    """Load a batch that was stopped for having few rows or none: somebody answers for it, by name and reason."""
    from threegaps import feed_run
    from threegaps.cli.output import console, print_json
    from threegaps.one_machine import environment

    environment.apply(Settings.load())
    number = feed_run.accept(batch, accepted_by=by or getpass.getuser(), reason=why)
    if json_:
        print_json({"batch_id": number, "accepts_batch_id": batch})
    else:
        console.print(
            f"Batch {number} has loaded what stopped batch {batch}; the next build takes it up;"
            " `threegaps build` is one at once."
        )


def judge_again(
    batch: Annotated[int, typer.Argument(help="A loaded batch, see `threegaps batches`.")],
    json_: Json = False,
) -> None:
    """Judge a loaded batch's files again, by the contract and code of now; the new batch supersedes it."""
    from threegaps import feed_run
    from threegaps.cli.output import console, print_json
    from threegaps.one_machine import environment

    environment.apply(Settings.load())
    number = feed_run.judge_again(batch)
    if json_:
        print_json({"batch_id": number, "supersedes_batch_id": batch})
    else:
        console.print(
            f"Batch {number} supersedes batch {batch}; the next build takes it up; `threegaps build` is one at once."
        )
