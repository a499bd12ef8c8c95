"""The environment that Airflow, dbt, the sandbox and the tasks run in.

Everything that differs between places is an environment variable. What the caller has set already stands: a server
gives its own databases and connections; on one machine all is derived here from the runtime home. Secrets come from
the home's secrets file (readable by its owner only) and travel in the environment, never in a command line.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from threegaps.airflow_api import airflow_address, airflow_login
from threegaps.home.sandbox_day import sandbox_day
from threegaps.one_machine.ports import LOOPBACK
from threegaps.settings import AIRFLOW_DATABASE, WAREHOUSE_DATABASE, Settings, department_database

if TYPE_CHECKING:
    from threegaps.contracts.departments import DepartmentConnection


def airflow_home(settings: Settings) -> Path:
    """Airflow's own folder: task logs and the login file."""
    return settings.home / "airflow"


def write_login_file(settings: Settings) -> Path:
    """The password file that Airflow's simple login reads, for its owner's eyes only."""
    path = airflow_home(settings) / "passwords.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    user, password = airflow_login(settings)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({user: password}, file)
    return path


def service_environment(settings: Settings) -> dict[str, str]:
    """Every variable that a process of ThreeGaps needs, upon what the caller has set already."""
    ours = {
        **_paths(settings),
        **_warehouse(settings),
        **_airflow(settings),
        **_connections(settings),
        **_secrets(settings),
    }
    given = dict(settings.environment)
    environment = {**ours, **given}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", os.defpath)])
    folders = [str(settings.root / "plugins"), str(settings.root), *filter(None, [given.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(folders))
    # All addresses are on loopback: a proxy must not be asked for them.
    for name in ("no_proxy", "NO_PROXY"):
        environment[name] = ",".join(filter(None, [given.get(name), LOOPBACK, "localhost"]))
    return environment


def page_environment(settings: Settings) -> dict[str, str]:
    """Of `service_environment` what Airflow's API server needs: it faces people, and its duty page has its own login.

    It has neither the pipeline's login nor what opens the departments, nor the key of pseudonyms.
    """
    return {
        name: value
        for name, value in service_environment(settings).items()
        if name not in {"THREEGAPS_WAREHOUSE_USER", "THREEGAPS_WAREHOUSE_PASSWORD"}
        and not name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_"))
    }


def apply(settings: Settings) -> None:
    """Set the variables in this process, for the command line and for tests that call the pipeline directly.

    On a server nothing changes: the deployment has set them already.
    """
    if settings.has_own_services:
        os.environ.update(service_environment(settings))


def _paths(settings: Settings) -> dict[str, str]:
    return {
        "THREEGAPS_ROOT": str(settings.root),
        "THREEGAPS_HOME": str(settings.home),
        "AIRFLOW_HOME": str(airflow_home(settings)),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "TZ": "Asia/Shanghai",
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def _warehouse(settings: Settings) -> dict[str, str]:
    parts = settings.warehouse()
    return {
        "THREEGAPS_WAREHOUSE_HOST": parts["host"],
        "THREEGAPS_WAREHOUSE_PORT": parts["port"],
        "THREEGAPS_WAREHOUSE_USER": parts["user"],
        "THREEGAPS_WAREHOUSE_PASSWORD": parts["password"],
        "THREEGAPS_WAREHOUSE_DATABASE": parts["dbname"],
    }


def _airflow(settings: Settings) -> dict[str, str]:
    state = settings.state()
    home = airflow_home(settings)
    address = airflow_address(settings)
    user = quote("airflow")
    password = quote(settings.secret("postgres_airflow"), safe="")
    cores = os.cpu_count() or 2
    database = f"{user}:{password}@{LOOPBACK}:{state['postgres_port']}/{AIRFLOW_DATABASE}"
    values: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": settings.root / "dags",
            "plugins_folder": settings.root / "plugins",
            "load_examples": False,
            "executor": "LocalExecutor",
            "default_timezone": "Asia/Shanghai",
            "dags_are_paused_at_creation": True,
            # Tasks are few and coarse, and wait on departments and on the database half of their time.
            "parallelism": max(4, 2 * cores),
            "max_active_tasks_per_dag": max(4, 2 * cores),
            "fernet_key": base64.urlsafe_b64encode(
                hashlib.sha256(_bytes(settings, "airflow_fernet")).digest()
            ).decode(),
            "auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "simple_auth_manager_users": f"{airflow_login(settings)[0]}:admin",
            "simple_auth_manager_passwords_file": home / "passwords.json",
            "execution_api_server_url": f"{address}/execution/",
            "min_serialized_dag_update_interval": 5,
        },
        "database": {
            "sql_alchemy_conn": f"postgresql+psycopg2://{database}",
            "sql_alchemy_pool_size": 5,
            # One machine, one deployment: the schema is brought up before any service starts.
            "check_migrations": False,
        },
        "api": {
            "host": LOOPBACK,
            "port": state["airflow_port"],
            "base_url": address,
            "workers": 1,
            "secret_key": hashlib.sha256(_bytes(settings, "airflow_session")).hexdigest(),
            "instance_name": "ThreeGaps 三大差距",
            "expose_config": False,
        },
        "api_auth": {"jwt_secret": hashlib.sha512(_bytes(settings, "airflow_jwt")).hexdigest()},
        "scheduler": {
            # A task whose process went down with the machine is found and tried again after this.
            "task_instance_heartbeat_timeout": 120,
            # One that a killed scheduler had queued is queued again by the next one within a minute, not within five.
            "orphaned_tasks_check_interval": 30,
            "catchup_by_default": False,
        },
        "dag_processor": {
            "parsing_processes": 2,
            "min_file_process_interval": 60,
            "refresh_interval": 30,
            "dag_file_processor_timeout": 120,
        },
        "logging": {
            "base_log_folder": home / "logs",
            "dag_processor_child_process_log_directory": home / "logs" / "dag_processor",
            "logging_level": "INFO",
            "colored_console_log": False,
        },
        "usage_data_collection": {"enabled": False},
    }
    return {
        f"AIRFLOW__{section.upper()}__{option.upper()}": str(value)
        for section, options in values.items()
        for option, value in options.items()
    }


def _connections(settings: Settings) -> dict[str, str]:
    """AIRFLOW_CONN_* of the warehouse and, in the sandbox, of the stand-in departments."""
    warehouse = settings.warehouse()
    connections: dict[str, dict[str, Any]] = {
        "warehouse": {
            "conn_type": "postgres",
            "host": warehouse["host"],
            "port": int(warehouse["port"]),
            "login": warehouse["user"],
            "password": warehouse["password"],
            "schema": warehouse["dbname"],
        }
    }
    if settings.is_sandbox:
        connections |= _sandbox_connections(settings)
    return {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps(parts, ensure_ascii=False) for name, parts in connections.items()
    }


def _sandbox_connections(settings: Settings) -> dict[str, dict[str, Any]]:
    """The stand-in departments; the sandbox makes its own keys when it is generated."""
    ways = {"http": _gateway, "database": _database, "sftp": _sftp, "file_drop": _file_drop}
    return {used.connection_id: ways[used.protocol](settings, used.department) for used in _used_connections(settings)}


def _used_connections(settings: Settings) -> tuple[DepartmentConnection, ...]:
    from threegaps.contracts.departments import department_connections
    from threegaps.contracts.loader import load_contracts

    return department_connections(load_contracts(settings.contracts_folder))


def _gateway(settings: Settings, department: str) -> dict[str, Any]:
    """The one gateway that serves the data sets of all departments."""
    application = _read_json(settings.sandbox_folder / "credentials.json")
    return {
        "conn_type": "http",
        "schema": "http",
        "host": LOOPBACK,
        "port": settings.state()["sandbox_http_port"],
        "login": application.get("app_id", ""),
        "password": application.get("app_secret", ""),
    }


def _database(settings: Settings, department: str) -> dict[str, Any]:
    return {
        "conn_type": "postgres",
        "host": LOOPBACK,
        "port": settings.state()["postgres_port"],
        "login": "department_reader",
        "password": settings.secret("postgres_department_reader"),
        "schema": department_database(department),
    }


def _sftp(settings: Settings, department: str) -> dict[str, Any]:
    """The one SFTP server; each department has folders of its own below its root."""
    keys = settings.sandbox_folder / "keys"
    extra: dict[str, Any] = {"key_file": str(keys / "client_key")}
    host_key = keys / "host_key.pub"
    if host_key.exists():
        kind, key = host_key.read_text(encoding="ascii").split()[:2]
        extra |= {"host_key": f"{kind} {key}", "no_host_key_check": False}
    return {
        "conn_type": "sftp",
        "host": LOOPBACK,
        "port": settings.state()["sandbox_sftp_port"],
        "login": "threegaps",
        "extra": extra,
    }


def _file_drop(settings: Settings, department: str) -> dict[str, Any]:
    """The folder that holds one folder for each department."""
    return {"conn_type": "fs", "extra": {"path": str(settings.sandbox_folder / "drop")}}


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _secrets(settings: Settings) -> dict[str, str]:
    variables = {
        # The key never changes for a warehouse; its version says which one made a pseudonym.
        "AIRFLOW_VAR_THREEGAPS_PSEUDONYM_KEY": settings.secret("pseudonym_key"),
        "AIRFLOW_VAR_THREEGAPS_PSEUDONYM_KEY_VERSION": "1",
    }
    if settings.is_sandbox:
        variables |= {
            "THREEGAPS_SANDBOX": "1",
            "THREEGAPS_SANDBOX_LAST_DAY": sandbox_day(settings).isoformat(),
        }
    return variables


def _bytes(settings: Settings, name: str) -> bytes:
    return settings.secret(name).encode("ascii")


def databases(settings: Settings) -> dict[str, str]:
    """Databases of the embedded cluster and their owners."""
    own = {AIRFLOW_DATABASE: "airflow", WAREHOUSE_DATABASE: "pipeline"}
    if not settings.is_sandbox:
        return own
    return own | {department_database(name): "department" for name in departments_with_database(settings)}


def departments_with_database(settings: Settings) -> tuple[str, ...]:
    """Departments whose database the contracts read."""
    from threegaps.contracts import departments

    return departments.departments_with_database(_used_connections(settings))
