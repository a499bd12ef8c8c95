"""Commands for builds and releases: build, release, explain, catalogue."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from threegaps.cli.options import Json, Limit
from threegaps.settings import Settings

_LAST_RELEASE = 2_147_483_647


class _WithText(TyperGroup):
    """Commands of a group, of which a first word that names none is a text to search for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, words that name no command as the option ``--find``."""
        words = [word for word in args if not word.startswith("-")]
        if words and words[0] not in self.commands and "--find" not in args:
            args = ["--find", " ".join(words), *(word for word in args if word.startswith("-"))]
        return super().parse_args(ctx, args)


catalogue_group = typer.Typer(
    cls=_WithText, help="What there is: indicators, and feeds as a directory of government data."
)
release = typer.Typer(no_args_is_help=True, help="Releases: what serves, what changed, and the way back.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    app.command()(build)
    app.add_typer(release, name="release")
    app.command()(explain)
    app.add_typer(catalogue_group, name="catalogue")
    app.command()(areas)


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
    """Ask Airflow for a run of the marts: claim what waits, build, release."""
    import time

    from threegaps.airflow_api import ENDED_STATES, AirflowApi
    from threegaps.cli.output import coded, console, print_json
    from threegaps.errors import BuildError
    from threegaps.orchestration.names import MARTS_DAG

    day = None if as_of is None else _day(as_of)
    settings = Settings.load()
    api = AirflowApi.of(settings)
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
        console.print(f"{run_id}: {coded('state', str(run['state']))}", markup=False)
        for task_id, state in tasks.items():
            console.print(f"  {task_id}: {coded('state', state)}", markup=False)
        _tell_what_is_held(settings)
    if run["state"] == "failed":
        raise BuildError("The run of the marts failed.", advice="see `threegaps status` and the task's log in Airflow.")


def _tell_what_is_held(settings: Settings) -> None:
    """Say what no build shows as long as undos hold it back."""
    from threegaps.cli import queries
    from threegaps.cli.output import console

    held = queries.holds_now(settings)
    if not held:
        return
    console.print(
        f"Held back by undos: {', '.join(hold.name for hold in held)}; figures that they reach ({_codes(held)}) stay as"
        " they are. `threegaps release free` frees them.",
        soft_wrap=True,
    )
    kept = sorted({name for hold in held for name in hold.keeps_back})
    if kept:
        console.print(f"Free already, and not to be seen until these are too: {', '.join(kept)}.", soft_wrap=True)


@release.command("list")
def list_releases(limit: Limit = 20, json_: Json = False) -> None:
    """Releases, the newest first: how many figures each changed, and how many rows of all served relations.

    `threegaps release diff` says which, and why.
    """
    from threegaps.cli import queries
    from threegaps.cli.output import answer

    rows, total = queries.releases(Settings.load(), limit=limit)
    told = rows if json_ else [_release_line(row) for row in rows]
    answer(told, as_json=json_, total=total, none="There is no release yet: `threegaps up --run` makes the first.")


def _release_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A release for people: its figures, and the rows of all relations that show them or speak of feeds."""
    return {
        "release_id": row["release_id"],
        "serves": True if row["serves"] else None,
        "kind": row["kind"],
        "undoes_release_id": row["undoes_release_id"],
        "as_of": row["as_of"],
        "released_at": row["released_at"],
        **{name: row.get(name, 0) for name in ("figures_new", "figures_changed", "figures_gone")},
        "rows_of_all_relations": row["cells_inserted"] + row["cells_changed"] + row["cells_removed"],
        "is_demonstration": True if row["is_demonstration"] else None,
        "note": row["note"],
    }


@release.command("show")
def show_release(json_: Json = False) -> None:
    """The release that serves: figures of the province by action and gap, counts of the feeds."""
    from threegaps.cli import display, queries
    from threegaps.cli.output import print_json

    settings = Settings.load()
    queries.need_release(settings)
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
    indicator: Annotated[
        str | None, typer.Option("--indicator", help="Only this indicator: its code, or a part of its name.")
    ] = None,
    area: Annotated[str | None, typer.Option("--area", help="Only this area: its code or its name.")] = None,
    limit: Limit = 50,
    json_: Json = False,
) -> None:
    """What is said differently in two releases, and why: by indicator first, then figure by figure."""
    from threegaps.cli import difference, named, queries
    from threegaps.cli.output import print_json
    from threegaps.release import history

    settings = Settings.load()
    queries.need_release(settings)
    code = named.indicator(settings, indicator)
    place = named.area(settings, area)
    found = history.compare(
        settings.warehouse_dsn(),
        first,
        second,
        indicators=None if code is None else [code],
        areas=None if place is None else [place],
    )
    areas, indicators = named.names(settings)
    if json_:
        print_json(difference.difference_document(found, areas=areas, indicators=indicators))
        return
    asked = " ".join(one for one in (code, place) if one is not None)
    difference.difference_page(found, areas=areas, indicators=indicators, limit=limit, asked=asked)


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
                "Airflow 没有应答:其他系统尚未得知,恢复后触发 DAG released"
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
    models: Annotated[
        list[str] | None, typer.Option("--model", help="A model or seed that an undo holds back.")
    ] = None,
    releases: Annotated[
        list[int] | None, typer.Option("--release", help="An undo: all that it holds back, see `threegaps status`.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that any undo holds back.")] = False,
    json_: Json = False,
) -> None:
    """Free what an undo holds back: the next build takes it up again; says what still keeps its figures back."""
    from threegaps.cli import queries
    from threegaps.cli.output import console, print_json
    from threegaps.errors import ReleaseError
    from threegaps.release import holds

    settings = Settings.load()
    if not (batches or models or releases or everything):
        held = queries.holds_now(settings)
        if not held:
            raise ReleaseError("Nothing is held back.", advice="`threegaps build` takes up all that waits.")
        raise ReleaseError(
            f"Nothing is named. Held back: {', '.join(hold.name for hold in held)}.",
            advice="give --batch, --model, --release or --all.",
        )
    done = holds.free(
        settings.warehouse_dsn(),
        batches=batches or (),
        models=models or (),
        releases=releases or (),
        everything=everything,
    )
    if json_:
        print_json({"freed": len(done.freed), "still_held": [dataclasses.asdict(hold) for hold in done.still_held]})
        return
    console.print(f"Freed: {', '.join(hold.name for hold in done.freed)}.", soft_wrap=True)
    if not done.still_reaching:
        console.print("The next `threegaps build` takes up what was held.")
    by_release: dict[int, list[holds.Hold]] = {}
    for hold in done.still_reaching:
        by_release.setdefault(hold.held_by_release_id, []).append(hold)
    for release_id, others in by_release.items():
        console.print(
            f"Its figures stay as they are all the same: {', '.join(hold.name for hold in others)} of the undo"
            f" {release_id} still hold the same ones ({_codes(others)})."
            f" `threegaps release free --release {release_id}` frees the rest.",
            soft_wrap=True,
        )
    others = [hold for hold in done.still_held if hold not in done.still_reaching]
    if others:
        console.print(f"Still held back besides: {', '.join(hold.name for hold in others)}.", soft_wrap=True)


def _codes(held: Sequence[Any]) -> str:
    """The indicators that holds reach, the first of them where they are many."""
    codes = sorted({code for hold in held for code in hold.indicators})
    return f"{', '.join(codes[:5])}, … ({len(codes)})" if len(codes) > 5 else ", ".join(codes)


def explain(
    code: Annotated[str, typer.Argument(help="Indicator: its code, e.g. M21-1, or a part of its name.")],
    area: Annotated[str, typer.Argument(help="Area: its code or its name, e.g. 330000, 杭州, Yuhang.")],
    period: Annotated[
        str, typer.Argument(help="Label of the period, e.g. 2026-06, 2026Q2, 2026年上半年, 2026; or latest.")
    ],
    part: Annotated[
        str | None, typer.Option(help="A part of the whole, e.g. skill_level=3; by default the total.")
    ] = None,
    json_: Json = False,
) -> None:
    """From a published number to the batches and files behind it, and to why it changed."""
    from threegaps.cli import named, queries
    from threegaps.cli.explanation import explanation_page
    from threegaps.cli.output import print_json
    from threegaps.release import explain as explanation

    breakdown, _, value = (part or "total=total").partition("=")
    settings = Settings.load()
    queries.need_release(settings)
    code, area = named.indicator(settings, code) or code, named.area(settings, area) or area
    dsn = settings.warehouse_dsn()
    found = _row(explanation.explain(dsn, code, area, period, breakdown=breakdown, breakdown_value=value))
    if json_:
        print_json(found)
    else:
        explanation_page(found)


@catalogue_group.callback(invoke_without_command=True)
def catalogue(
    context: typer.Context,
    text: Annotated[
        str, typer.Option("--find", metavar="TEXT", help="Only those with this in their code or name; or just TEXT.")
    ] = "",
    revisions: Annotated[
        bool, typer.Option("--revisions", help="How far figures were revised after they were final, by indicator.")
    ] = False,
    arrival: Annotated[
        bool, typer.Option("--arrival", help="How much was there when figures became final, by indicator.")
    ] = False,
    json_: Json = False,
) -> None:
    """Every indicator that is built, or those whose code or name has a text in it: `threegaps catalogue 工资`.

    Code, names, unit, method, formula, clause; for feeds, `threegaps feeds`, for areas, `threegaps areas`.
    """
    if context.invoked_subcommand is not None:
        return
    from threegaps.cli import named, queries
    from threegaps.cli.output import answer

    settings = Settings.load()
    found = named.indicators(settings, text)
    none = f"No indicator has {text!r} in its code or name: `threegaps catalogue` lists all." if text else ""
    if not (arrival or revisions) or not found:
        shown = found if json_ else _in_words(settings, found)
        answer(shown, as_json=json_, none=none)
        return
    rows = queries.arrivals(settings) if arrival else queries.ask(settings, queries.REVISION_RATES)
    codes = {row["indicator_code"] for row in found}
    answer(
        [row for row in rows if not text or row["indicator_code"] in codes],
        as_json=json_,
        none=none if not found else "No figure of these indicators has become final yet: nothing can be said of them.",
    )


_MOST_IN_FULL = 3
"""So many indicators are printed with their formulas; of more, only what tells them apart."""


_TELLING = ("indicator_code", "action_code", "measure", "name_zh", "name_en", "unit_zh", "unit_en", "method_zh",
            "method_en", "audience")  # fmt: skip


def _in_words(settings: Settings, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Indicators for people: units and methods by their names; where there are many, what tells them apart."""
    from threegaps.cli import queries

    if not rows:
        return []
    units = {row["unit_zh"]: row["unit_en"] for row in queries.ask(settings, queries.UNITS)}
    methods = {row["method"]: (row["name_zh"], row["name_en"]) for row in queries.ask(settings, queries.METHODS)}
    told = []
    for row in rows:
        zh, en = methods.get(row["method"], (row["method"], row["method"]))
        line: dict[str, Any] = {}
        for name, value in row.items():
            line |= {"method_zh": zh, "method_en": en} if name == "method" else {name: value}
            line |= {"unit_en": units.get(value, value)} if name == "unit_zh" else {}
        told.append(line if len(rows) <= _MOST_IN_FULL else {name: line[name] for name in _TELLING})
    return told


def areas(
    text: Annotated[str, typer.Argument(help="A code, a name or a part of one; without, all areas.")] = "",
    json_: Json = False,
) -> None:
    """Areas by code or name, Chinese or English: the province, cities, counties, and groups of them."""
    from threegaps.cli import named
    from threegaps.cli.output import answer

    answer(
        named.areas(Settings.load(), text),
        as_json=json_,
        none=f"No area has {text!r} in its code or name: `threegaps areas` lists all.",
    )


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
