"""Commands for the stand-in departments of one machine."""

from __future__ import annotations

from typing import Annotated

import typer

from threegaps.cli.options import Json
from threegaps.settings import Settings

_CAME = {"right": "came 到达", "wrong": "came, not whole 到达但有误", "not": "did not come 未到"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    group = typer.Typer(help="The stand-in departments of this machine.", no_args_is_help=True)
    group.callback()(_departments)
    group.command("advance")(advance)
    app.add_typer(group, name="sandbox")


def _departments() -> None:
    """The stand-in departments of this machine."""
    # With a callback the group keeps its commands' names, though it has only one.


def advance(
    day: Annotated[str | None, typer.Argument(help="The day to move to, like 2026-07-31.")] = None,
    days: Annotated[int | None, typer.Option("--days", min=1, help="Or so many days.")] = None,
    json_: Json = False,
) -> None:
    """Let the departments deliver what falls due until a day, and the feeds run as on schedule."""
    import dataclasses
    import datetime as dt

    from threegaps.cli import display
    from threegaps.cli.output import coded, console, print_json
    from threegaps.errors import ServiceError, SettingsError
    from threegaps.home import account
    from threegaps.home.sandbox_day import sandbox_day
    from threegaps.orchestration import advancing

    settings = Settings.load()
    if not (settings.is_sandbox and settings.has_own_services):
        raise SettingsError(
            "No stand-in departments of this machine are here.",
            advice="real ones have their own time; `threegaps up` starts a sandbox.",
        )
    if (day is None) == (days is None):
        raise SettingsError("Give either the day or --days.", advice="like `threegaps sandbox advance 2026-07-31`.")
    if not account.is_running(settings):
        raise ServiceError("No services run.", advice="start them with `threegaps up`.")
    try:
        until = dt.date.fromisoformat(day) if day else sandbox_day(settings) + dt.timedelta(days=days or 0)
    except ValueError:
        raise SettingsError(f"{day!r} is no day.", advice="write it like 2026-07-31.") from None
    screen = display.Screen(is_silent=json_)
    with screen.shown():
        done = advancing.advance(settings, until, screen.progress)
    if json_:
        print_json(dataclasses.asdict(done))
        return
    for delivery in done.deliveries:
        part = f" {delivery.part}" if delivery.part else ""
        console.print(
            f"{delivery.day} {delivery.feed} {delivery.delivery}{part}: {_CAME[delivery.came]}",
            markup=False,
            soft_wrap=True,
        )
    for run in done.runs:
        state = coded("state", run.state)
        console.print(f"run of {run.feed} up to {run.delivery}: {state} {run.task}".rstrip(), markup=False)
    console.print(
        f"The departments stand on {done.day}; release {done.release} serves, {done.release_before} did before."
        " `threegaps status` says how the feeds stand, `threegaps batches --status failed` why a load failed.",
        markup=False,
        soft_wrap=True,
    )
