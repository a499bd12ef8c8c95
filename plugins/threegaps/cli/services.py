"""Commands for the services: up, down, status, doctor."""

from __future__ import annotations

import signal
from typing import Annotated, Any

import typer

from threegaps.cli.options import Json
from threegaps.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(doctor)
    app.command()(migrate)
    app.command()(rebuild)


def _scale(value: float | None) -> float | None:
    if value is not None and not 0 < value <= 1:
        raise typer.BadParameter(f"{value} is not above 0 and at most 1.")
    return value


def up(
    run: Annotated[
        bool, typer.Option("--run", help="Then run all feeds and the marts to a release, and print it.")
    ] = False,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in the foreground; Ctrl-C stops the services.")
    ] = False,
    scale: Annotated[
        float | None,
        typer.Option(callback=_scale, help="Size of the synthetic province (1: all of it); for a new home."),
    ] = None,
    json_: Json = False,
) -> None:
    """Start the databases, the sandbox departments and Airflow.

    Ends with 1 where the services ran already, with other connections than this shell sets: they keep those.
    """
    from threegaps.home import account
    from threegaps.one_machine import keeper

    settings = Settings.load()
    keeper.see_settings(settings)
    if scale is not None and "sandbox_loaded" not in settings.state():
        settings.remember(sandbox_scale=str(scale))
    if foreground:
        settings.logs_folder.mkdir(parents=True, exist_ok=True)
        raise typer.Exit(keeper.keep(settings))

    from threegaps.cli import display
    from threegaps.cli.output import console, errors, print_json
    from threegaps.one_machine.started_with import ADVICE, changed_connections, changed_text

    screen = display.Screen(is_silent=json_)
    was_running = account.is_running(settings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with screen.shown():
            started = keeper.up(settings, screen.services)
            if run:
                from threegaps.orchestration import first_run

                if not first_run.is_complete(settings):
                    first_run.run_to_release(settings, screen.progress)
            elif started:
                from threegaps.airflow_api import AirflowApi
                from threegaps.contracts.loader import load_contracts
                from threegaps.orchestration.first_run import make_pools

                make_pools(AirflowApi.of(settings), load_contracts(settings.contracts_folder))
    except KeyboardInterrupt:
        # Interrupted before it is done: what this call started ends with it.
        if not was_running:
            console.print("Interrupted: stopping the services ...")
            keeper.down(settings)
        raise
    changed = () if started else changed_connections(settings)
    if json_:
        print_json({"started": started, "changed_connections": changed, **display.addresses(settings)})
    elif run:
        display.print_release(settings)
    else:
        where = display.addresses(settings)["airflow"]
        console.print(f"The services run. Airflow: {where['address']}  (`threegaps status`)", markup=False)
    if changed:
        if not json_:
            errors.print(f"! {changed_text(changed)}", soft_wrap=True)
            errors.print(f"  what to do: {ADVICE}", soft_wrap=True)
        raise typer.Exit(1)


def down(json_: Json = False) -> None:
    """Stop all services and wait until the last process has ended."""
    from threegaps.cli.output import console, print_json
    from threegaps.one_machine import keeper

    stopped = keeper.down(Settings.load())
    if json_:
        print_json({"stopped": stopped})
    else:
        console.print("All services have ended." if stopped else "No services ran.")


def status(
    all_: Annotated[
        bool, typer.Option("--all", help="Every incident, feed and service, and what waits, by feed.")
    ] = False,
    json_: Json = False,
) -> None:
    """One page: what is late, failing, stopped or held, and since when; then feeds, the release that serves, services.

    Feeds that stand well are counted, and listed with --all.

    Ends with 0 when all is fine, 1 when somebody should look at something, 2 when it is critical.
    """
    from threegaps.cli import status_page
    from threegaps.cli.output import print_json

    page = status_page.collect(Settings.load())
    if json_:
        print_json(page)
    else:
        status_page.show(page, with_all=all_)
    if code := status_page.EXIT_CODES[page["state"]]:
        raise typer.Exit(code)


def migrate(json_: Json = False) -> None:
    """For a deployment: bring the ledger to the newest schema, enter what feeds owe, make Airflow's pools; as `up`."""
    from threegaps.cli.output import console, print_json
    from threegaps.ledger.migrate import KNOWN_VERSION
    from threegaps.one_machine import environment
    from threegaps.one_machine.prepare import upgrade_ledger
    from threegaps.orchestration.pools import import_pools

    settings = Settings.load()
    environment.apply(settings)
    upgrade_ledger(settings)
    made = import_pools(settings)
    if json_:
        print_json({"schema_version": KNOWN_VERSION, "pools": made})
    else:
        console.print(f"The ledger has schema version {KNOWN_VERSION}; pools: {', '.join(made)}.", markup=False)


def rebuild(json_: Json = False) -> None:
    """Fill an empty, migrated warehouse anew from what lies in landing; `threegaps build --full` follows it.

    Ends with 1 when a feed could not be loaded to its newest delivery.
    """
    import dataclasses

    from threegaps import feed_run
    from threegaps.cli.output import console, print_json
    from threegaps.one_machine import environment

    environment.apply(Settings.load())
    done = []
    for rebuilt in feed_run.rebuild():
        done.append(rebuilt)
        if not json_:
            gone = f"; copies ended by retention or a purge: {', '.join(rebuilt.gone)}" if rebuilt.gone else ""
            console.print(
                f"{rebuilt.feed}: {rebuilt.arrivals:,} landed objects of {rebuilt.deliveries:,} deliveries,"
                f" {len(rebuilt.batch_ids):,} batches loaded{gone}{f'; {rebuilt.error}' if rebuilt.error else ''}",
                markup=False,
                soft_wrap=True,
            )
    if json_:
        print_json([dataclasses.asdict(rebuilt) for rebuilt in done])
    if any(rebuilt.error for rebuilt in done):
        raise typer.Exit(1)
    if not json_:
        console.print("Next: `threegaps build --full`.", markup=False)


def doctor(json_: Json = False) -> None:
    """Check this machine and this installation; says what to do about what is wrong."""
    from threegaps.cli import doctor as checks
    from threegaps.cli.output import both, console, print_json
    from threegaps.translations import language, word

    found: list[dict[str, Any]] = [checks.in_both_languages(one) for one in checks.examine(Settings.load())]
    if json_:
        print_json(found)
    else:
        for check in found:
            mark = {"ok": "✓", "warning": "!", "wrong": "✗"}[check["state"]]
            name = word(check["name"], "check")
            # What is in order is said in few words; of what is not both languages are shown where both are spoken.
            is_brief = check["state"] == "ok" and language() == "both"
            said, advice = (
                check[part] if is_brief else both(check[f"{part}_zh"], check[part]) for part in ("message", "advice")
            )
            console.print(f"{mark} {name}: {said}", markup=False, soft_wrap=True)
            if advice:
                console.print(f"  what to do: {advice}", markup=False, soft_wrap=True)
    if any(check["state"] == "wrong" for check in found):
        raise typer.Exit(1)
