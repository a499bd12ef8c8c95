"""What `up` and `make run` show: live on a terminal, line by line elsewhere; and the release at the end."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from threegaps.airflow_api import airflow_address, airflow_login
from threegaps.cli import queries
from threegaps.cli.output import both, coded, column_head, console, named, pair
from threegaps.duty.mounting import PREFIX
from threegaps.labels import MATURITIES, TARGET_STATUSES
from threegaps.orchestration.first_run import FeedProgress, Progress
from threegaps.release.target_text import target_text
from threegaps.settings import OWN_READER, OWN_READER_ENTRY, WAREHOUSE_DATABASE, Settings
from threegaps.standards import visible
from threegaps.translations import either, say, word

# In the order of the plan.
_ACTIONS = {
    "A1": "行动一 ",
    "A2": "行动二 ",
    "A3": "行动三 ",
    "A4": "行动四 ",
    "A5": "行动五 ",
    "G1": "",
    "G2": "",
    "G3": "",
    "O": "",
    "W": "",
    "P": "",
}
_FIGURES_AN_ACTION = 4
_MARKS = {"done": "✓", "success": "✓", "failed": "✗", "running": "…", "skipped": "–"}


class Screen:
    """Shows how far things are; on something that is no terminal it prints a line when a state changes.

    Args:
        is_silent: Show nothing.
        quiet_seconds: Where it prints lines: after so long without one it says what is under way.
    """

    def __init__(self, *, is_silent: bool = False, quiet_seconds: float = 30.0) -> None:
        self._is_silent = is_silent
        self._quiet_seconds = quiet_seconds
        self._live: Live | None = None
        self._said: dict[str, str] = {}
        self._started = self._said_at = time.monotonic()
        self._under_way = "starting"
        self._steps: dict[str, Any] = {}

    @contextmanager
    def shown(self) -> Iterator[Screen]:
        """Keep the display on the terminal while the block runs."""
        if self._is_silent:
            yield self
            return
        if not console.is_terminal:
            ended = threading.Event()
            teller = threading.Thread(target=self._tell_that_it_goes_on, args=(ended,), daemon=True)
            teller.start()
            try:
                yield self
            finally:
                ended.set()
                teller.join()
            return
        with Live(console=console, refresh_per_second=4, transient=False) as live:
            self._live = live
            yield self
        self._live = None

    def services(self, account: Mapping[str, Any]) -> None:
        """Show the supervisor's account of its steps."""
        self._steps = dict(account)
        self._under_way = ", ".join(step["title"] for step in account.get("steps", []) if step["state"] == "running")
        for step in account.get("steps", []):
            seconds = f" {step['seconds']} s" if step.get("seconds") is not None else ""
            self._say(f"step {step['name']}", f"{_MARKS.get(step['state'], ' ')} {say(step['title'])}{seconds}")
        if self._live:
            self._live.update(self._steps_table())

    def progress(self, progress: Progress) -> None:
        """Show how far feeds and marts are."""
        if self._live:
            self._live.update(Group(self._steps_table(), self._feeds_table(progress)))
            return
        self._under_way = _under_way(progress)
        if progress.message:
            self._say("message", progress.message)
        for row in progress.feeds:
            self._say(
                row.feed,
                f"  {row.feed} up to {row.delivery}: {word(row.state, 'state')} {_counts(row)}".rstrip(),
                key=row.state,
            )
        if progress.marts_state != "waiting":
            self._say("marts", f"  marts: {word(progress.marts_state, 'state')} {progress.marts_task}".rstrip())

    def _say(self, name: str, line: str, *, key: str | None = None) -> None:
        said = key or line
        if self._live is None and not self._is_silent and self._said.get(name) != said:
            self._said[name] = said
            self._print(line)

    def _print(self, line: str) -> None:
        self._said_at = time.monotonic()
        visible.say(f"[{self._said_at - self._started:5.1f} s] {visible.one_line(say(line))}")

    def _tell_that_it_goes_on(self, ended: threading.Event) -> None:
        """Say what is under way whenever nothing has been said for a while."""
        while not ended.wait(max(0.0, self._said_at + self._quiet_seconds - time.monotonic())):
            if time.monotonic() - self._said_at >= self._quiet_seconds:
                self._print(f"  still: {self._under_way or 'waiting'}")

    def _steps_table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for step in self._steps.get("steps", []):
            seconds = "" if step.get("seconds") is None else f"{step['seconds']:.1f} s"
            table.add_row(_MARKS.get(step["state"], " "), say(step["title"]), Text(seconds, justify="right"))
        return table

    def _feeds_table(self, progress: Progress) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", title=say(progress.message), title_justify="left")
        for name in ("", "feed", "up to", "batches", "received", "accepted", "refused", "now"):
            is_number = name in {"batches", "received", "accepted", "refused"}
            table.add_column(column_head(name), justify="right" if is_number else "left")
        for row in progress.feeds:
            numbers = (row.batches, row.received, row.accepted, row.refused)
            label = f"{row.title_zh} {row.feed}"
            now = say(row.task) or coded("state", row.state)
            table.add_row(_MARKS.get(row.state, " "), label, row.delivery, *(f"{number:,}" for number in numbers), now)
        elapsed = f"{time.monotonic() - self._started:.0f} s"
        now = say(progress.marts_task) or coded("state", progress.marts_state)
        marts = "" if progress.marts_state == "waiting" else now
        table.add_row(
            _MARKS.get(progress.marts_state, " "), pair("指标库", "marts"), "", "", "", "", "", f"{marts} {elapsed}"
        )
        return table


def _counts(row: FeedProgress) -> str:
    if not row.batches:
        return row.task
    batches = "1 batch" if row.batches == 1 else f"{row.batches} batches"
    return f"{batches}, {row.received:,} received, {row.refused:,} refused {row.task}"


def _under_way(progress: Progress) -> str:
    """What runs now, in a few words; nothing that runs is what the message says."""
    running = [f"{row.feed} {_counts(row)}".rstrip() for row in progress.feeds if row.state == "running"]
    if progress.marts_state == "running":
        running.append(f"marts {progress.marts_task}".rstrip())
    return "; ".join(running) or progress.message


def figures(settings: Settings) -> dict[str, list[queries.Row]]:
    """A few province figures of each action and gap, newest first by indicator."""
    chosen: dict[str, list[queries.Row]] = {}
    for row in queries.ask(settings, queries.PROVINCE_FIGURES):
        rows = chosen.setdefault(str(row["action_code"]), [])
        if len(rows) < _FIGURES_AN_ACTION:
            rows.append(row)
    return chosen


def addresses(settings: Settings) -> dict[str, Any]:
    """Where to look, and the logins; a password is None on a server, where the deployment has set it."""
    warehouse = settings.warehouse()
    user, password = airflow_login(settings) if settings.has_own_services else ("as the deployment set it", None)
    return {
        "airflow": {"address": airflow_address(settings), "user": user, "password": password},
        "database": {
            "host": warehouse["host"],
            "port": int(warehouse["port"]),
            "database": WAREHOUSE_DATABASE,
            "user": OWN_READER if settings.has_own_services else "as the deployment set it",
            "password": settings.secret(OWN_READER_ENTRY) if settings.has_own_services else None,
        },
    }


def print_release(settings: Settings) -> None:
    """The release that serves: figures by action and gap, counts by feed, addresses."""
    release = queries.ask(settings, queries.CURRENT_RELEASE)[0]
    synthetic = settings.is_sandbox
    console.rule(f"Release {release['release_id']} · as of {release['as_of']}", align="left")
    if synthetic:
        console.print(
            "合成数据 (synthetic) except where marked 真实公布数 (real: published, or derived from published figures)",
            style="bold",
        )
    if release["is_demonstration"]:
        console.print(
            "演示:未作披露控制,不得引用 · A demonstration without disclosure control: not to be quoted",
            style="bold red",
        )
    console.print(
        "行动方案的目标出自征求意见稿(2025年5月),正式稿已于2025年7月15日印发;各目标的出处见 marts.dim_target · "
        "The plan's targets are the draft's of May 2025, the final plan is of 2025-07-15;"
        " marts.dim_target has each one's source"
    )
    console.print("约:涉及人员的数,取整列示 · 约 (about): figures on persons are shown rounded")
    shown = figures(settings)
    for action, number in _ACTIONS.items():
        if action in shown:
            name_zh, name_en = f"{number}{shown[action][0]['action_name_zh']}", str(shown[action][0]["action_name_en"])
            title = either(name_zh, name_en) or f"{name_zh} · {name_en}"
            console.print(_figures_table(title, shown[action], synthetic=synthetic))
    _print_feeds(settings, synthetic=synthetic)
    where = addresses(settings)
    airflow, database = where["airflow"], where["database"]
    console.rule("Where to look", align="left")
    lines = (
        f"Airflow    {airflow['address']}  {_login(airflow)}",
        f"值班 Duty  {airflow['address']}{PREFIX}/",
        f"PostgreSQL {database['host']}:{database['port']}  database {database['database']}  schema marts"
        f"  {_login(database)}",
        "Next       threegaps status · threegaps release list · threegaps explain M21-1 330000 2025",
        *(() if shutil.which("threegaps") else (f"           first: . {Path(sys.executable).parent / 'activate'}",)),
    )
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _login(where: dict[str, Any]) -> str:
    return f"user {where['user']}" + (f"  password {where['password']}" if where["password"] else "")


def _figures_table(title: str, rows: list[queries.Row], *, synthetic: bool) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for name in ("code", "indicator", "period", "value", "target", "status", ""):
        table.add_column(
            name,
            justify="right" if name in {"value", "target"} else "left",
            overflow="fold",
            no_wrap=name in {"code", "period", "value", "target"},
        )
    for row in rows:
        part = "" if row["breakdown"] == "total" else f" ({row['breakdown']}={row['breakdown_value']})"
        is_synthetic, has_target = synthetic and not row["is_published_figure"], row["target_value"] is not None
        label = _origin(is_real=bool(row["is_published_figure"]), synthetic=synthetic)
        table.add_row(
            str(row["indicator_code"]),
            f"{both(row['name_zh'], row['name_en'])}{part}",
            str(row["period_label"]),
            either(str(row["value_text"]), str(row.get("value_text_en") or "")) or str(row["value_text"]),
            target_text(row["target_value"], row["direction"]) or "",
            named(TARGET_STATUSES, str(row["status"] or ""))
            + (say(" (目标有待核对 target unconfirmed)") if row["is_target_unconfirmed"] else "")
            # the synthetic province has fewer persons than the target is for
            + (say(" (合成数据,只示意规则 shows the rule alone)") if is_synthetic and has_target else ""),
            label + (f" {named(MATURITIES, 'provisional')}" if row["maturity"] == "provisional" else ""),
        )
    return table


def _origin(*, is_real: bool, synthetic: bool) -> str:
    if is_real:
        return pair("真实公布数", "real")
    return pair("合成数据", "synthetic") if synthetic else ""


def _print_feeds(settings: Settings, *, synthetic: bool) -> None:
    from threegaps.contracts.loader import load_contracts

    table = Table(
        title="Feeds 数据源: all loaded batches 已载入各批次合计",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for name in ("feed", "up to", "batches", "received", "accepted", "refused", "duplicates", ""):
        is_text = name in {"feed", "up to", ""}
        # a long name goes on in a second line rather than being cut
        table.add_column(name, justify="left" if is_text else "right", header_style="dim", overflow="fold")
    published = {contract.feed for contract in load_contracts(settings.contracts_folder) if contract.is_published}
    for row in queries.ask(settings, queries.FEEDS):
        table.add_row(
            str(row["feed"]),
            str(row["last_delivery"]),
            *(f"{row[name]:,}" for name in ("batches", "received", "accepted", "refused", "duplicates")),
            _origin(is_real=row["feed"] in published, synthetic=synthetic),
        )
    console.print(table)
