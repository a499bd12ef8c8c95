"""Commands for builds and releases: build, release, explain, catalogue."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from threegaps.cli.options import Json, Limit
from threegaps.settings import Settings

_LAST_RELEASE = 2_147_483_647

catalogue_group = typer.Typer(help="What there is: indicators, and feeds as a directory of government data.")
release = typer.Typer(no_args_is_help=True, help="Releases: what serves, what changed, and the way back.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    app.command()(build)
    app.add_typer(release, name="release")
    app.command()(explain)
    app.add_typer(catalogue_group, name="catalogue")


def build(
    full: Annotated[bool, typer.Option("--full", help="Rebuild everything, not only what is affected.")] = False,
    as_of: Annotated[
        str | None, typer.Option(help="The day to build from, YYYY-MM-DD; by default the last that a delivery covers.")
    ] = None,
    accept_fewer_rows: Annotated[
        bool, typer.Option("--accept-fewer-rows", help="Someone has looked: a table may lose many rows.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Wait until the run has ended.")] = True,
    json_: Json = False,
) -> None:
    """Ask Airflow for a run of the marts: claim what is pending, build, release."""
    import time

    from threegaps.airflow_api import ENDED_STATES, AirflowApi
    from threegaps.cli.output import console, print_json
    from threegaps.errors import BuildError
    from threegaps.orchestration.names import MARTS_DAG

    day = None if as_of is None else _day(as_of)
    api = AirflowApi.of(Settings.load())
    conf = {"kind": "full" if full else "affected", "as_of": day, "accept_fewer_rows": accept_fewer_rows}
    run = api.trigger(MARTS_DAG, conf=conf)
    run_id = str(run["dag_run_id"])
    while wait and run["state"] not in ENDED_STATES:
        time.sleep(1)
        run = api.run(MARTS_DAG, run_id)
    tasks = api.task_states(MARTS_DAG, run_id)
    if json_:
        print_json({"run_id": run_id, "state": run["state"], "tasks": tasks})
    else:
        console.print(f"{run_id}: {run['state']}", markup=False)
        for task_id, state in tasks.items():
            console.print(f"  {task_id}: {state}", markup=False)
    if run["state"] == "failed":
        raise BuildError("The run of the marts failed.", advice="see `threegaps status` and the task's log in Airflow.")


@release.command("list")
def list_releases(limit: Limit = 20, json_: Json = False) -> None:
    """Releases, the newest first."""
    from threegaps.cli import queries
    from threegaps.cli.output import answer

    answer(queries.ask(Settings.load(), queries.RELEASES, {"limit": limit}), as_json=json_)


@release.command("show")
def show_release(json_: Json = False) -> None:
    """The release that serves: figures of the province by action and gap, counts of the feeds."""
    from threegaps.cli import display, queries
    from threegaps.cli.output import print_json
    from threegaps.errors import ReleaseError

    settings = Settings.load()
    if not queries.has_release(settings):
        raise ReleaseError("There is no release yet.", advice="`threegaps up --run` makes the first.")
    if json_:
        print_json(
            {
                "release": queries.ask(settings, queries.CURRENT_RELEASE)[0],
                "figures": display.figures(settings),
                "feeds": list(queries.ask(settings, queries.FEEDS)),
            }
        )
    else:
        display.print_release(settings)


@release.command("diff")
def diff_releases(
    first: Annotated[int, typer.Argument(min=1, max=_LAST_RELEASE, help="The earlier release.")],
    second: Annotated[
        int | None, typer.Argument(min=1, max=_LAST_RELEASE, help="The later one; by default the one that serves.")
    ] = None,
    limit: Limit = 50,
    json_: Json = False,
) -> None:
    """What is said differently in two releases."""
    from threegaps.cli.output import answer
    from threegaps.release import history

    rows = history.difference(Settings.load().warehouse_dsn(), first, second)
    answer([_row(row) for row in rows], as_json=json_, limit=None if json_ else limit)


@release.command("undo")
def undo_release(
    note: Annotated[str, typer.Option(help="Why; it stays with the release.")],
    json_: Json = False,
) -> None:
    """Say again what the release before said: a new release, which holds back the batches that came with this one."""
    from threegaps.cli.output import console, print_json
    from threegaps.release import undo

    settings = Settings.load()
    number = undo.undo(settings.warehouse_dsn(), note=note)
    is_told = _wake_those_who_wait(settings)
    if json_:
        print_json({"release_id": number, "is_told": is_told})
    else:
        console.print(
            f"Release {number} says what was said before. `threegaps status` shows what is held back,"
            " `threegaps release free` frees it."
        )
        if not is_told:
            console.print(
                "Airflow 没有响应:其他系统尚未得知,恢复后触发流程 released"
                " | Airflow does not answer, and other systems have not been told: trigger the DAG released then."
            )


def _wake_those_who_wait(settings: Settings) -> bool:
    """Let the DAG released tell of it; False where Airflow does not answer."""
    from threegaps.airflow_api import AirflowApi
    from threegaps.errors import ServiceError
    from threegaps.orchestration.names import RELEASED_DAG

    try:
        AirflowApi.of(settings).trigger(RELEASED_DAG)
    except ServiceError:
        return False
    return True


@release.command("free")
def free_held(
    batches: Annotated[list[int] | None, typer.Option("--batch", help="A batch that an undo holds back.")] = None,
    models: Annotated[list[str] | None, typer.Option("--model", help="A model that an undo holds back.")] = None,
    json_: Json = False,
) -> None:
    """Free what an undo holds back: the next build takes it up again."""
    from threegaps.cli.output import console, print_json
    from threegaps.errors import ReleaseError
    from threegaps.release import holds

    if not (batches or models):
        raise ReleaseError("Nothing is named.", advice="give --batch or --model.")
    freed = holds.free(Settings.load().warehouse_dsn(), batches=batches or (), models=models or ())
    if json_:
        print_json({"freed": freed})
    else:
        console.print(f"Freed: {freed}. The next `threegaps build` takes up what was held.")


def explain(
    code: Annotated[str, typer.Argument(help="Indicator, e.g. M21-1.")],
    area: Annotated[str, typer.Argument(help="Area code, e.g. 330000.")],
    period: Annotated[
        str, typer.Argument(help="Label of the period, e.g. 2026-06, 2026Q2, 2026年上半年, 2026; or latest.")
    ],
    part: Annotated[
        str | None, typer.Option(help="A part of the whole, e.g. skill_level=3; by default the total.")
    ] = None,
    json_: Json = False,
) -> None:
    """From a published number to the batches and files behind it, and to why it changed."""
    from threegaps.cli.explanation import explanation_page
    from threegaps.cli.output import print_json
    from threegaps.release import explain as explanation

    breakdown, _, value = (part or "total=total").partition("=")
    dsn = Settings.load().warehouse_dsn()
    found = _row(explanation.explain(dsn, code, area, period, breakdown=breakdown, breakdown_value=value))
    if json_:
        print_json(found)
    else:
        explanation_page(found)


@catalogue_group.callback(invoke_without_command=True)
def catalogue(
    context: typer.Context,
    revisions: Annotated[
        bool, typer.Option("--revisions", help="How far figures were revised after they were final, by indicator.")
    ] = False,
    arrival: Annotated[
        bool, typer.Option("--arrival", help="How much was there when figures became final, by indicator.")
    ] = False,
    json_: Json = False,
) -> None:
    """Every indicator that is built: code, names, unit, method, formula, clause; for feeds, `threegaps feeds`."""
    if context.invoked_subcommand is not None:
        return
    from threegaps.cli import queries
    from threegaps.cli.output import answer

    if arrival:
        answer(queries.arrivals(Settings.load()), as_json=json_)
        return
    query = queries.REVISION_RATES if revisions else queries.CATALOGUE
    answer(queries.ask(Settings.load(), query), as_json=json_)


@catalogue_group.command("export")
def export_directory(
    file: Annotated[Path, typer.Argument(help="Where to write: .csv (a row an item) or .json (an entry a feed).")],
    json_: Json = False,
) -> None:
    """The feeds as entries of a directory of government data (发改高技〔2017〕1272号), from the contracts alone."""
    from threegaps.cli.output import console, print_json
    from threegaps.contracts import directory
    from threegaps.contracts.loader import load_documents

    entries = directory.entries(load_documents(Settings.load().contracts_folder))
    directory.write(entries, file)
    awaited = {field: sum(not entry[field] for entry in entries) for field in directory.AWAITED}
    items = len(directory.rows(entries))
    if json_:
        print_json({"file": str(file), "entries": len(entries), "items": items, "awaited": awaited})
        return
    console.print(f"目录 {len(entries)} 条、信息项 {items} 项 | entries and items written to {file}", markup=False)
    if any(awaited.values()):
        listed = "、".join(f"{field} {count}" for field, count in awaited.items() if count)
        console.print(
            f"待目录主管部门或提供方给出 | the directory's owner or the provider is still to give: {listed}"
            " (合同的 directory 一项 | `directory` in the contract)",
            markup=False,
        )


def _day(text: str) -> str:
    """The day that *text* names, as Airflow takes it."""
    import datetime as dt

    from threegaps.errors import SettingsError

    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise SettingsError(f"{text!r} is no day.", advice="give --as-of like 2026-06-30.") from None


def _row(value: Any) -> dict[str, Any]:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else dict(value)
