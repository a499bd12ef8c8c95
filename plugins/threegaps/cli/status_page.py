"""The page of `threegaps status`."""

from __future__ import annotations

import dataclasses
from typing import Any

import psycopg

from threegaps.airflow_api import AirflowApi, airflow_address
from threegaps.cli import queries
from threegaps.cli.output import both, console, print_rows
from threegaps.contracts.loader import load_contracts
from threegaps.errors import SettingsError
from threegaps.feed_run.expecting import judged_at
from threegaps.ledger.batches import pending_batches
from threegaps.ledger.status import feed_status
from threegaps.one_machine import account
from threegaps.one_machine.processes import is_alive
from threegaps.settings import OWN_READER, OWN_READER_ENTRY, WAREHOUSE_DATABASE, Settings


def collect(settings: Settings) -> dict[str, Any]:
    """All that the page says; `problems` lists what someone should look at now."""
    page: dict[str, Any] = {
        "services": _services(settings),
        "airflow": airflow_address(settings),
        "readers": _readers(settings),
        "problems": [],
    }
    page["problems"] += [
        f"{service['name']} is {service['state']}" for service in page["services"] if service["state"] != "running"
    ]
    if not page["services"]:
        page["problems"].append("the services do not run: `threegaps up`")
    elif not settings.is_server:
        page["problems"] += [
            f"Airflow's {component['name']} is {component['state']}"
            for component in _airflow(settings)
            if component["state"] != "running"
        ]
    try:
        page |= _warehouse(settings)
    except psycopg.OperationalError:
        page["problems"].append("the warehouse does not answer")
        return page
    for feed in page["feeds"]:
        if feed["is_late"]:
            page["problems"].append(
                f"{feed['feed']} is late: {feed['expected_delivery']} was due ({feed['due_day']}),"
                f" the last delivery is {feed['last_delivery'] or 'none'}"
            )
        if feed["incomplete_deliveries"]:
            page["problems"].append(
                f"{feed['feed']}: not all has come of {', '.join(feed['incomplete_deliveries'])}"
                " (`threegaps batches --feed` and the log of task `land` say what is missing)"
            )
        if feed["stopped_batch_id"]:
            page["problems"].append(
                f"{feed['feed']}: batch {feed['stopped_batch_id']} stopped:"
                f" {both(feed['stop_message_zh'], feed['stop_message_en'])}"
            )
        if feed["is_shrinking"]:
            page["problems"].append(
                f"{feed['feed']}: {feed['rows']:,} rows in {feed['last_delivery']},"
                f" {feed['rows_before']:,} in the delivery before"
            )
    if page["build"] and page["build"][0]["status"] in {"failed", "undone"}:
        build, message = page["build"][0]["build_id"], str(page["build"][0]["message"] or "")
        is_undone = message.startswith("undone by")
        page["problems"].append(f"build {build} {'was' if is_undone else 'failed:'} {message}")
    return page


def _readers(settings: Settings) -> dict[str, Any]:
    """Where a reader finds the warehouse, and how to come by a login; no password stands here."""
    has_login = settings.has_own_services
    try:
        address = settings.reader_address()
    except SettingsError:
        address = None
    return {
        "address": address,
        "database": WAREHOUSE_DATABASE,
        "login": OWN_READER if has_login else None,
        "password_in": f"{settings.home / 'secrets.json'}: {OWN_READER_ENTRY}" if has_login else None,
        "more_logins": "threegaps reader add",
    }


def _services(settings: Settings) -> list[dict[str, Any]]:
    if settings.is_server:
        return _airflow(settings)
    if not account.is_running(settings):
        return []
    services: list[dict[str, Any]] = account.read_status(settings).get("services", [])
    for service in services:
        if service["pid"] and not is_alive(service["pid"]):
            service["state"] = "ended"
    return services


def _airflow(settings: Settings) -> list[dict[str, Any]]:
    """What Airflow says of its own parts."""
    health = AirflowApi.of(settings).health()
    found = []
    for part in ("scheduler", "dag_processor", "triggerer"):
        state = (health.get(part) or {}).get("status") or "silent"
        found.append(
            {
                "name": part.replace("_", " "),
                "state": "running" if state == "healthy" else state,
                "pid": None,
                "restarts": None,
            }
        )
    return found


def _warehouse(settings: Settings) -> dict[str, Any]:
    now = judged_at(settings)
    contracts = load_contracts(settings.contracts_folder)
    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
        feeds = [
            {**dataclasses.asdict(feed_status(connection, contract, now)), "due_day": contract.due_day}
            for contract in contracts
        ]
        pending = pending_batches(connection)
    return {
        "feeds": feeds,
        "release": list(queries.ask(settings, queries.CURRENT_RELEASE)),
        "pending": list(queries.ask(settings, queries.PENDING, {"pending": pending})),
        "held": list(queries.ask(settings, queries.HELD)),
        "build": list(queries.ask(settings, queries.LAST_BUILD)),
    }


def show(page: dict[str, Any]) -> None:
    """The page for people."""
    for problem in page["problems"]:
        console.print(f"! {problem}", style="yellow", markup=False)
    print_rows(
        [{name: service[name] for name in ("name", "state", "pid", "restarts")} for service in page["services"]],
        title="Services",
    )
    console.print(f"Airflow: {page['airflow']}", markup=False)
    readers = page["readers"]
    if readers["address"]:
        login = f"login {readers['login']}, its password in {readers['password_in']}; " if readers["login"] else ""
        console.print(
            f"Readers 读者: {readers['address']}, database {readers['database']}, schema marts; {login}"
            f"others: `{readers['more_logins']}`, `threegaps reader list`",
            markup=False,
            soft_wrap=True,
        )
    if "feeds" not in page:
        return
    console.print()
    print_rows([_feed_line(feed) for feed in page["feeds"]], title="Feeds 数据源")
    console.print()
    print_rows(page["release"], title="Release that serves")
    console.print()
    print_rows(page["pending"], title="Loaded, waiting for a build")
    console.print()
    print_rows(page["held"], title="Held back by an undo")
    console.print()
    print_rows(page["build"], title="Last build")


def _feed_line(feed: dict[str, Any]) -> dict[str, Any]:
    states = [
        name
        for name, holds in (
            ("stopped", feed["stopped_batch_id"] is not None),
            ("late", feed["is_late"]),
            ("shrinking", feed["is_shrinking"]),
        )
        if holds
    ]
    return {
        "feed": feed["feed"],
        "state": ", ".join(states) or "in time",
        "last_delivery": feed["last_delivery"],
        "expected": feed["expected_delivery"],
        "rows": feed["rows"],
        "rows_before": feed["rows_before"],
        "open_refusals": feed["open_refusals"],
        "last_loaded_at": feed["last_loaded_at"],
    }
