"""The checks of `threegaps doctor`."""

from __future__ import annotations

import datetime as dt
import stat
import sys
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from threegaps.cli.doctor_connections import examine_connections
from threegaps.contracts.loader import SUFFIX, load_contracts, unread
from threegaps.errors import ThreeGapsError, of_warehouse
from threegaps.settings import SHANGHAI, Settings
from threegaps.translations import in_both
from threegaps.watch.readings import AIRFLOW_PARTS

_AIRFLOW_PARTS = ("metadatabase", *AIRFLOW_PARTS)
_HOLIDAYS_AHEAD = dt.timedelta(days=30)

Finding = tuple[str, str, str]
"""State (ok, warning, wrong), message, advice; both in English, as the catalogues know them."""


def examine(settings: Settings) -> list[dict[str, Any]]:
    """Every check with its finding; a check that fails itself is a finding too."""
    found = []
    for name, check in _CHECKS:
        try:
            state, message, advice = check(settings)
        except ThreeGapsError as error:
            state, message, advice = "wrong", error.message, error.advice or ""
        except OSError as error:
            state, message, advice = "wrong", str(error).strip(), ""
        except psycopg.Error as error:
            parts = settings.warehouse()
            state, advice = "wrong", "see that it is up: `threegaps status`."
            message = f"the warehouse at {parts['host']}:{parts['port']}: {of_warehouse(error)}"
        found.append({"name": name, "state": state, "message": message, "advice": advice})
    return found + examine_connections(settings)


def in_both_languages(finding: Mapping[str, Any]) -> dict[str, Any]:
    """*finding* with its message and its advice in Chinese beside the English ones, where it has none of its own."""
    return {
        "message_zh": in_both(finding["message"])[0],
        "advice_zh": in_both(finding["advice"])[0],
        **finding,
    }


def _python(_: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        return "wrong", f"Python {version}", "use Python 3.11, 3.12 or 3.13."
    return "ok", f"Python {version}", ""


def _disk(settings: Settings) -> Finding:
    from threegaps.watch.looks import machine
    from threegaps.watch.reading_machine import disks

    found = disks(settings)
    text = "; ".join(f"{disk.free_bytes / 1e9:.1f} GB of this disk are free: {disk.path}" for disk in found)
    return ("warning", text, "make room; landing and database grow.") if machine.disks(found) else ("ok", text, "")


def _secrets(settings: Settings) -> Finding:
    path = settings.home / "secrets.json"
    if not path.exists():
        return "ok", "no secrets yet", ""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return "wrong", f"{path} can be read by others ({mode:o})", f"chmod 600 {path}"
    return "ok", f"{path} is for its owner only", ""


def _contracts(settings: Settings) -> Finding:
    contracts = load_contracts(settings.contracts_folder)
    if not contracts:
        return "wrong", f"no contract below {settings.contracts_folder}", "check THREEGAPS_ROOT."
    if left := unread(settings.contracts_folder):
        return (
            "warning",
            f"below {settings.contracts_folder} not read: {', '.join(map(str, left))}",
            f"a contract is expectations/<department>/<feed>{SUFFIX}: rename it, or move it elsewhere.",
        )
    return "ok", f"{len(contracts)} contracts can be read", ""


def _forms(settings: Settings) -> Finding:
    contracts = load_contracts(settings.contracts_folder)
    day = dt.datetime.now(SHANGHAI).date()
    expired = [one for one in contracts if one.form is not None and one.form.is_expired(day)]
    if expired:
        listed = ", ".join(f"{one.feed} {one.form.valid_until}" for one in expired if one.form is not None)
        return (
            "warning",
            f"statistical forms past their validity: {listed}",
            "let its maker have it approved again, and write approval and validity into the contract's statutoryMark.",
        )
    forms = sum(one.form is not None for one in contracts)
    return (
        "ok",
        f"{len(contracts) - forms} administrative records, {forms} statistical forms, none past its validity",
        "",
    )


def _holidays(_: Settings) -> Finding:
    from threegaps.standards.working_days import known_until

    day, last = dt.datetime.now(SHANGHAI).date(), known_until()
    if last - day < _HOLIDAYS_AHEAD:
        return (
            "warning",
            f"public holidays are known until {last} only: due days after it move over weekends alone",
            "add the rows of the State Council's next notice to"
            " plugins/threegaps/standards/reference/working_days.csv.",
        )
    return "ok", f"public holidays are known until {last}", ""


def _postgres(_: Settings) -> Finding:
    from threegaps.one_machine import postgres

    bundled, system = postgres.bundled_binaries(), postgres.system_binaries()
    if bundled:
        return "ok", f"PostgreSQL of the wheel: {bundled}", ""
    if system:
        return "ok", f"PostgreSQL of the system: {system}", ""
    return "wrong", "no PostgreSQL for this platform", "install PostgreSQL 15 or later from the system's packages."


def _services(settings: Settings) -> Finding:
    from threegaps.airflow_api import AirflowApi
    from threegaps.home import account

    if settings.is_server:
        api = AirflowApi.of(settings)
        if api.health():
            return "ok", f"Airflow answers at {api.address}", ""
        return (
            "warning",
            f"no Airflow answers at {api.address}",
            "set THREEGAPS_AIRFLOW_URL, and see that its API server is up.",
        )
    if not account.is_running(settings):
        return "warning", "the services do not run", "`threegaps up` starts them."
    waiting = [
        service["name"]
        for service in account.read_status(settings).get("services", [])
        if service["state"] != "running"
    ]
    if waiting:
        return "wrong", f"{', '.join(waiting)} does not stay up", f"read the logs below {settings.logs_folder}."
    return "ok", "all services run", ""


def _airflow(settings: Settings) -> Finding:
    from threegaps.airflow_api import AirflowApi
    from threegaps.home import account
    from threegaps.orchestration.names import OF_NO_FEED, feed_dag

    if not settings.is_server and not account.is_running(settings):
        return "warning", "the services do not run", "`threegaps up` starts them."
    api = AirflowApi.of(settings)
    health = api.health()
    if not health:
        return (
            "wrong",
            f"Airflow does not answer at {api.address}",
            "see `threegaps status`; on a server check THREEGAPS_AIRFLOW_URL and its API server.",
        )
    ill = [part for part in _AIRFLOW_PARTS if (health.get(part) or {}).get("status") != "healthy"]
    # Whether it takes our login, too.
    paused = {dag_id for dag_id, dag in api.dags().items() if dag.get("is_paused")}
    if ill:
        listed = ", ".join(ill)
        return "wrong", f"parts of Airflow without a heartbeat: {listed}", "see `threegaps status`."
    held = paused.intersection(OF_NO_FEED) if paused and _holds_dags(settings) else set()
    if paused - held:
        of_feeds = paused & {feed_dag(one.feed) for one in load_contracts(settings.contracts_folder)}
        return (
            "warning",
            f"DAGs that are paused in Airflow, and do not run: {', '.join(sorted(paused - held))}",
            "let them run on Airflow's page, or say `threegaps feeds pause` where nothing is to come."
            if of_feeds
            else "let them run on Airflow's page.",
        )
    if held:
        return (
            "ok",
            f"Airflow answers at {api.address}, and all its parts are healthy; held on purpose until the first run or"
            f" the sandbox's advance ends: {', '.join(sorted(held))}",
            "",
        )
    return "ok", f"Airflow answers at {api.address}, and all its parts are healthy", ""


def _holds_dags(settings: Settings) -> bool:
    """Whether a first run, or the sandbox's advance, holds the DAGs of no feed; no where the ledger cannot say it."""
    from threegaps.cli.status_page import is_held
    from threegaps.ledger.expected import is_being_set_up

    try:
        with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
            return is_held(settings, is_being_set_up=is_being_set_up(connection))
    except psycopg.Error:
        return False


def _watch(settings: Settings) -> Finding:
    """Whether the watch lives, and whether it can tell anybody."""
    from threegaps.labels import INCIDENT_KINDS
    from threegaps.standards.moments import clock
    from threegaps.watch import heartbeat
    from threegaps.watch.alerts import alerts_path, load_alerts, unset_variables

    now = dt.datetime.now(SHANGHAI)
    state, last = heartbeat.state(settings, now), heartbeat.last_beat(settings)
    since = f", last seen at {clock(last.at)}" if last is not None else ""
    if state != "running":
        return (
            "wrong",
            f"the watch is {state}{since}: nobody is told of anything",
            f"see {heartbeat.RUNBOOK}; `{heartbeat.COMMAND}` looks and tells once.",
        )
    alerts = load_alerts(alerts_path(settings), list(INCIDENT_KINDS))
    if not alerts.channels:
        return (
            "warning",
            f"the watch runs{since}; it has no channel: nobody is told of anything",
            "write alerts.yaml (docs/server.md#who-is-told), then `threegaps watch check`.",
        )
    # On a server the watch has an environment of its own.
    if not settings.is_server and (unset := unset_variables(alerts, settings.environment)):
        return (
            "wrong",
            f"the watch runs{since}; channels that lack variables: {', '.join(sorted(unset))}",
            "`threegaps watch check` names them: set them and start the services again.",
        )
    names = ", ".join(channel.name for channel in alerts.channels)
    return "ok", f"the watch runs{since}; it tells by {names}", ""


def _strays(settings: Settings) -> Finding:
    from threegaps.one_machine import strays

    if settings.is_server:
        return "ok", "a container ends with all its processes", ""
    found = strays.look(settings)
    if found:
        listed = ", ".join(f"{stray.process_id} ({stray.service})" for stray in found)
        return (
            "wrong",
            f"processes that belong to no running service: {listed}",
            f"`threegaps down` ends them, then `threegaps up`; should one stay: kill -9 {strays.numbers(found)}",
        )
    return "ok", "no process is left over from services that have ended", ""


def _ledger(settings: Settings) -> Finding:
    from threegaps.ledger.migrate import KNOWN_VERSION, check_schema

    check_schema(settings.warehouse_dsn())
    return "ok", f"the ledger has schema version {KNOWN_VERSION}", ""


def _access(settings: Settings) -> Finding:
    from threegaps.access.findings import findings

    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
        found = findings(connection)
    if found:
        return (
            "wrong",
            "; ".join(found),
            "let the server's superuser run plugins/threegaps/access/*.sql, and make logins by `threegaps reader add`"
            " (docs/server.md, Readers).",
        )
    return "ok", "readers can neither stop nor fill the warehouse", ""


def _logins(settings: Settings) -> Finding:
    from threegaps.access.restoring import readers

    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
        changed = [reader.login for reader in readers(connection) if reader.is_changed]
    if changed:
        return (
            "wrong",
            f"logins whose password or settings are not those given: {', '.join(changed)}",
            "`threegaps reader list` shows what differs; `threegaps reader renew LOGIN` gives a new password and the"
            " settings back (docs/server.md, Readers).",
        )
    return "ok", "readers' logins are as they were given", ""


def _settling(settings: Settings) -> Finding:
    from threegaps.release.settling import LARGEST_REVISION_PERCENT, unsettled

    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
        found = unsettled(connection)
    if found:
        listed = ", ".join(f"{one.indicator_code} {one.period_type} {one.revision_percent:.2f} %" for one in found)
        return (
            "warning",
            f"figures called final were revised afterwards: {listed}",
            "raise matures_after_months in the indicator's catalogue entry: it is to be the time by which 99.5 % is"
            " there (docs/indicators.md).",
        )
    return "ok", f"final figures of the province have stayed within {LARGEST_REVISION_PERCENT} %", ""


def _arrival(settings: Settings) -> Finding:
    from threegaps.release.arrival import LEAST_ARRIVED_PERCENT, arrived

    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
        found = arrived(connection)
    if not found:
        return "ok", "nothing has been released yet", ""
    told = [str(one) for one in found if one.percent is not None]
    if not told:
        return "ok", f"how much is there when figures become final cannot be told yet of {len(found)} indicators", ""
    message = f"of what is counted now, there when figures became final: {', '.join(told)}"
    if len(told) < len(found):
        message += f"; cannot be told yet of {len(found) - len(told)} indicators"
    if any(one.is_short for one in found):
        return (
            "warning",
            message,
            f"under {LEAST_ARRIVED_PERCENT} %: raise matures_after_months in the indicator's catalogue entry.",
        )
    return "ok", message, ""


def _identities(settings: Settings) -> Finding:
    from threegaps.release.identities import broken

    with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
        found = broken(connection)
    if found:
        return (
            "warning",
            "; ".join(map(str, found)),
            "look at the feeds behind both sides (`threegaps explain`); the relations stand in seed_identity.",
        )
    return "ok", "the relations between indicators hold in what was built last", ""


def _landing(settings: Settings) -> Finding:
    executor = settings.environment.get("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    shared = settings.text("THREEGAPS_LANDING_SHARED") == "1"
    if "Celery" in executor and settings.landing_folder is not None and not shared:
        return (
            "wrong",
            "the landing is a local folder, but Celery workers may run on several machines",
            "set THREEGAPS_LANDING_URI to an object store, or THREEGAPS_LANDING_SHARED=1 for a shared volume.",
        )
    if settings.landing_folder is not None and not settings.landing_folder.exists():
        return "ok", f"nothing has landed yet at {settings.landing_uri}", ""
    from threegaps.landing.store import LandingStore

    LandingStore(settings.landing_uri).try_writing()
    return "ok", f"landing at {settings.landing_uri} can be written, with {executor}", ""


def _team_links(settings: Settings) -> Finding:
    from threegaps.orchestration.pages import LINKS_VARIABLE, read_links

    links, faults = read_links(settings)
    if faults:
        return (
            "warning",
            f"{LINKS_VARIABLE}: {len(faults)} entries are no links and not taken",
            "write team=mailto:address or team=https://…, apart by blanks (docs/server.md).",
        )
    return "ok", f"{len(links)} teams have a link on Airflow's page", ""


_CHECKS: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
    ("python", _python),
    ("disk", _disk),
    ("secrets", _secrets),
    ("contracts", _contracts),
    ("forms", _forms),
    ("holidays", _holidays),
    ("postgresql", _postgres),
    ("services", _services),
    ("airflow", _airflow),
    ("watch", _watch),
    ("strays", _strays),
    ("ledger", _ledger),
    ("access", _access),
    ("logins", _logins),
    ("settling", _settling),
    ("arrival", _arrival),
    ("identities", _identities),
    ("landing", _landing),
    ("team links", _team_links),
)
