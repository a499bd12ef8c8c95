"""Commands for feeds and counties that report nothing for a time: pause, resume, close, reopen, pauses."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from threegaps.cli.options import By, Json
from threegaps.settings import Settings

if TYPE_CHECKING:
    from threegaps.feed_run.pausing import Action

Feed = Annotated[str, typer.Argument(help="The feed, written department/name.")]
County = Annotated[
    str | None, typer.Option("--county", help="Only this county, by its code; where the feed is owed county by county.")
]
Why = Annotated[str, typer.Option("--why", help="Why; kept in the ledger and in landing.")]
First = Annotated[dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first such day.")]
Again = Annotated[
    dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day of which it reports again.")
]


def register(group: typer.Typer) -> None:
    """Add the commands of this module to the commands of feeds."""
    group.command()(pause)
    group.command()(resume)
    group.command()(close)
    group.command()(reopen)
    group.command("pauses")(list_pauses)


def pause(
    feed: Feed,
    first: First,
    why: Why,
    last: Annotated[
        dt.datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="The last such day; without it until `resume`."),
    ] = None,
    county: County = None,
    by: By = None,
    json_: Json = False,
) -> None:
    """Have a feed, or a county of it, report nothing of some days: deliveries that lie in them whole are not owed."""
    _decide(feed, "pause", county, first, last, why, by, json_=json_)


def resume(feed: Feed, first: Again, why: Why, county: County = None, by: By = None, json_: Json = False) -> None:
    """End a pause: from this day on it reports again."""
    _decide(feed, "resume", county, first, None, why, by, json_=json_)


def close(feed: Feed, first: First, why: Why, county: County = None, by: By = None, json_: Json = False) -> None:
    """Close a feed, or a county of it: from this day on it reports nothing any more."""
    _decide(feed, "close", county, first, None, why, by, json_=json_)


def reopen(feed: Feed, first: Again, why: Why, county: County = None, by: By = None, json_: Json = False) -> None:
    """Open what was closed: from this day on it reports again."""
    _decide(feed, "reopen", county, first, None, why, by, json_=json_)


def list_pauses(
    feed: Annotated[str | None, typer.Argument(help="Only this feed, written department/name.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those too that were ended before they began.")] = False,
    json_: Json = False,
) -> None:
    """Pauses and closures, with who said so and why."""
    from threegaps.cli import queries
    from threegaps.cli.output import answer
    from threegaps.contracts.loader import find_contract
    from threegaps.ledger.pauses import pauses

    settings = Settings.load()
    if feed is not None:
        find_contract(settings.contracts_folder, feed)
    with queries.connect(settings) as connection:
        found = [dataclasses.asdict(one) for one in pauses(connection, feed, with_withdrawn=all_)]
    shown = ("feed", "county_code", "kind", "paused_from", "paused_to", "reason", "recorded_by", "recorded_at",
             "ended_reason", "ended_by", "withdrawn_at")  # fmt: skip
    answer(found if json_ else [{name: one[name] for name in shown} for one in found], as_json=json_)


def _decide(
    feed: str,
    action: Action,
    county: str | None,
    first: dt.datetime,
    last: dt.datetime | None,
    why: str,
    by: str | None,
    *,
    json_: bool,
) -> None:
    from threegaps import feed_run
    from threegaps.cli.output import console, print_json

    changed = feed_run.decide(
        feed,
        action,
        county_code=county,
        first=first.date(),
        last=None if last is None else last.date(),
        reason=why,
        decided_by=by or getpass.getuser(),
    )
    if json_:
        print_json({"feed": feed, "action": action, "county_code": county, "deliveries": changed})
        return
    listed = ", ".join([*changed[:3], "…", changed[-1]] if len(changed) > 4 else changed)
    if not changed:
        console.print("Of what is entered so far no delivery lies in those days whole: what is owed stays as it was.")
    elif action in {"pause", "close"}:
        console.print(f"Not owed any more: {listed} (deliveries: {len(changed)}).", markup=False)
    else:
        console.print(f"Owed again: {listed} (deliveries: {len(changed)}).", markup=False)
