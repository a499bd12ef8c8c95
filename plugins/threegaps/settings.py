"""Where things are: paths, ports and the databases' addresses.

Everything that differs between places comes from the environment (``THREEGAPS_*``); on one machine ``threegaps up``
chooses what is not given, and remembers it in the runtime home (``state.json``; ``secrets.json`` for its eyes only).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from threegaps.errors import SettingsError

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""Calendar and schedules are the province's."""

WAREHOUSE_DATABASE = "warehouse"
AIRFLOW_DATABASE = "airflow"
_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")
OWN_READER = "bi"
"""The reader that one machine makes for itself."""
OWN_READER_ENTRY = "postgres_bi"
"""Under which its password stands in the secrets file."""
DUTY_LOGIN = "threegaps_duty"
"""The login of the duty page, which Airflow's API server has."""
DUTY_ENTRY = "postgres_duty"
"""Under which its password stands in the secrets file of one machine."""


_OWN_HOME = "set THREEGAPS_HOME to a folder that you may write to, or mend this one."
_LEAST_FREE_MB = 3000
_LARGEST_PORT = 65535
_LARGEST_NUMBER = 2**31 - 1


def department_database(department: str) -> str:
    """The database in which a stand-in department keeps its tables."""
    return f"department_{department}"


def _repository_root() -> Path:
    return Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths of this checkout and of its runtime home.

    Args:
        root: The checkout: contracts, DAGs and the dbt project lie below it.
        home: The runtime home: data, landing, logs, state.
        environment: The variables that settings are read from.
    """

    root: Path
    home: Path
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from the environment (by default this process's).

        Raises:
            SettingsError: A variable that is to name a folder names something else.
        """
        variables = dict(os.environ if environment is None else environment)
        root = _folder("THREEGAPS_ROOT", variables.get("THREEGAPS_ROOT") or _repository_root())
        home = _folder("THREEGAPS_HOME", variables.get("THREEGAPS_HOME") or root / ".threegaps")
        return cls(root=root, home=home, environment=variables)

    @property
    def contracts_folder(self) -> Path:
        return self.root / "expectations"

    @property
    def dbt_project_folder(self) -> Path:
        return self.root / "dbt_project"

    @property
    def logs_folder(self) -> Path:
        return self.home / "logs"

    @property
    def sandbox_folder(self) -> Path:
        return self.home / "sandbox"

    @property
    def landing_uri(self) -> str:
        """Where landed bytes are kept: a local folder by default, any object store by its URI.

        Raises:
            SettingsError: What is set is no address.
        """
        written = self.text("THREEGAPS_LANDING_URI")
        if written is None:
            return f"file://{self.home / 'landing'}"
        try:
            urlsplit(written)
        except ValueError:
            # Somebody may have written a password into it.
            raise SettingsError(
                "THREEGAPS_LANDING_URI is no address.",
                advice="write a folder, or a store like s3://connection@bucket/landing.",
            ) from None
        return written

    @property
    def landing_folder(self) -> Path | None:
        """The folder that landing is, given as a path or as a ``file:`` URI; None for an object store."""
        return local_folder(self.landing_uri)

    @property
    def landing_retention_days(self) -> int | None:
        """A shorter time than the contracts' that landed copies are kept; None where nothing asks for one.

        Raises:
            SettingsError: What is set is no whole number.
        """
        return self.number("THREEGAPS_LANDING_RETENTION_DAYS", least=1)

    @property
    def least_free_bytes(self) -> int:
        """How much is asked to be free on each disk, by default 3 GB.

        Raises:
            SettingsError: What is set is no whole number.
        """
        written = self.number("THREEGAPS_LEAST_FREE_MB")
        return (_LEAST_FREE_MB if written is None else written) * 10**6

    @property
    def sandbox_last_day(self) -> dt.date | None:
        """The day after which the stand-in departments send nothing; None where nothing says so.

        Raises:
            SettingsError: What is set is no day.
        """
        written = self.text("THREEGAPS_SANDBOX_LAST_DAY")
        if written is None:
            return None
        try:
            return dt.date.fromisoformat(written)
        except ValueError:
            raise SettingsError(
                f"THREEGAPS_SANDBOX_LAST_DAY is {written!r}, which is no day.", advice="write it like 2026-06-30."
            ) from None

    @property
    def sandbox_scale(self) -> str | None:
        """The size of the synthetic province that is asked for, as it is written; None where none is.

        Raises:
            SettingsError: What is set is not above 0 and at most 1.
        """
        written = self.text("THREEGAPS_SANDBOX_SCALE")
        try:
            is_right = written is None or 0 < float(written) <= 1
        except ValueError:
            is_right = False
        if not is_right:
            raise SettingsError(
                f"THREEGAPS_SANDBOX_SCALE is {written!r}, which is not above 0 and at most 1.",
                advice="1 is the whole province.",
            )
        return written

    @property
    def sandbox_seed(self) -> int | None:
        """The seed of the synthetic province that is asked for; None where none is."""
        return self.number("THREEGAPS_SANDBOX_SEED")

    @property
    def airflow_url(self) -> str | None:
        """Where a deployment's Airflow is, without a slash at the end; None where nothing says so.

        Raises:
            SettingsError: What is set is no address.
        """
        written = self.text("THREEGAPS_AIRFLOW_URL")
        if written is None:
            return None
        try:
            parts = urlsplit(written)
            is_right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
            # What no name of a machine can be, like a..b, is found out only when somebody asks for it.
            (parts.hostname or "").encode("idna")
        except ValueError:
            is_right = False
        if not is_right:
            # Somebody may have written a password into it.
            raise SettingsError("THREEGAPS_AIRFLOW_URL is no address.", advice="write it like http://airflow:8080.")
        return written.rstrip("/")

    @property
    def airflow_password(self) -> str | None:
        """The password of Airflow's administrator that a deployment gives; None where it gives none."""
        return self.text("THREEGAPS_AIRFLOW_PASSWORD")

    def text(self, variable: str) -> str | None:
        """What a variable says; None where it is not set, or empty."""
        return self.environment.get(variable) or None

    def number(self, variable: str, *, least: int = 0, most: int = _LARGEST_NUMBER) -> int | None:
        """The whole number that a variable says; None where it is not set.

        Raises:
            SettingsError: It is none, or not between *least* and *most*.
        """
        written = self.text(variable)
        if written is None:
            return None
        if not re.fullmatch("[0-9]{1,15}", written) or not least <= int(written) <= most:
            raise SettingsError(
                f"{variable} is {written!r}, which is no whole number from {least} to {most}.",
                advice="set one, or leave it out.",
            )
        return int(written)

    def port(self, variable: str, *, least: int = 1) -> int | None:
        """The port that a variable says; None where it is not set.

        Raises:
            SettingsError: It is none.
        """
        return self.number(variable, least=least, most=_LARGEST_PORT)

    def yes_or_no(self, variable: str, *, default: bool) -> bool:
        """What a variable says that is yes or no; *default* where it is not set.

        Raises:
            SettingsError: It says neither: what decides over real persons' data is never guessed.
        """
        written = self.environment.get(variable, "").strip().lower()
        if not written:
            return default
        if written not in {*_YES, *_NO}:
            raise SettingsError(
                f"{variable} says neither yes nor no.",
                advice=f"write one of {', '.join((*_YES, *_NO))}, or leave it out.",
            )
        return written in _YES

    @property
    def is_sandbox(self) -> bool:
        """Whether the departments behind the feeds are the synthetic ones: all they say is labelled synthetic.

        Raises:
            SettingsError: The variable says neither yes nor no.
        """
        return self.yes_or_no("THREEGAPS_SANDBOX", default=True)

    @property
    def shows_exact_cells(self) -> bool:
        """Whether a demonstration serves every cell exactly, as no real figures may be: of the sandbox only.

        Raises:
            SettingsError: It is set where the departments are real.
        """
        if not self.yes_or_no("THREEGAPS_SHOW_EXACT_CELLS", default=False):
            return False
        if not self.is_sandbox:
            raise SettingsError(
                "THREEGAPS_SHOW_EXACT_CELLS is set, and the departments are real: persons could be recognised.",
                advice="leave it out; exact figures stand in schema `exact`, for the role `statistician`.",
            )
        return True

    @property
    def has_own_services(self) -> bool:
        """Whether ``up`` has run in this home."""
        return "postgres_port" in self.state()

    @property
    def is_server(self) -> bool:
        """Whether a deployment runs the services and has set their variables."""
        return not self.has_own_services and bool(self.environment.get("THREEGAPS_WAREHOUSE_HOST"))

    def state(self) -> dict[str, Any]:
        """What ``up`` chose and remembers: ports, the sandbox's scale and seed."""
        return _read_json(self.home / "state.json")

    def remember(self, **values: Any) -> None:
        """Add to what is remembered, atomically."""
        _write_json(self.home / "state.json", {**self.state(), **values}, mode=0o644)

    def secret(self, name: str) -> str:
        """A secret of this runtime home by its name, made at the first call.

        The file is readable by its owner only; a secret never stands in a command line or a log.
        """
        path = self.home / "secrets.json"
        known = _read_json(path)
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            _write_json(path, known, mode=0o600)
        return str(known[name])

    def replace_secret(self, name: str, value: str) -> None:
        """Keep *value* as the secret of this name from now on."""
        path = self.home / "secrets.json"
        _write_json(path, {**_read_json(path), name: value}, mode=0o600)

    def warehouse(self) -> dict[str, str]:
        """Host, port, user, password and dbname of the warehouse, as role ``pipeline``.

        Raises:
            SettingsError: No address is given and ``threegaps up`` has not run here.
        """
        given = {
            "host": self.environment.get("THREEGAPS_WAREHOUSE_HOST"),
            "port": str(self.port("THREEGAPS_WAREHOUSE_PORT") or ""),
            "user": self.environment.get("THREEGAPS_WAREHOUSE_USER"),
            "password": self.environment.get("THREEGAPS_WAREHOUSE_PASSWORD"),
            "dbname": self.environment.get("THREEGAPS_WAREHOUSE_DATABASE"),
        }
        if given["host"]:
            return {
                "host": given["host"],
                "port": given["port"] or "5432",
                "user": given["user"] or "pipeline",
                "password": given["password"] or "",
                "dbname": given["dbname"] or WAREHOUSE_DATABASE,
            }
        port = self.state().get("postgres_port")
        if port is None:
            raise SettingsError(
                "The warehouse has no address.",
                advice="run `threegaps up`, or set THREEGAPS_WAREHOUSE_HOST and the rest.",
            )
        return {
            "host": "127.0.0.1",
            "port": str(port),
            "user": "pipeline",
            "password": self.secret("postgres_pipeline"),
            "dbname": WAREHOUSE_DATABASE,
        }

    @property
    def duty_password(self) -> str | None:
        """The password of the duty page's own login; None where a deployment has given none."""
        given = self.text("THREEGAPS_DUTY_PASSWORD")
        return given or (self.secret(DUTY_ENTRY) if self.has_own_services else None)

    def duty_dsn(self) -> str:
        """The warehouse's address as psycopg takes it, for the duty page's own login.

        Raises:
            SettingsError: No address is given and ``threegaps up`` has not run here, or the login has no password.
        """
        password = self.duty_password
        if password is None:
            raise SettingsError(
                "The duty page has no login of its own at the warehouse.",
                advice="set THREEGAPS_DUTY_PASSWORD and run `threegaps migrate`, which makes the login.",
            )
        return to_dsn({**self.warehouse(), "user": DUTY_LOGIN, "password": password})

    def reader_address(self) -> str:
        """Host and port under which readers reach the warehouse, written ``host:port``.

        On a server readers come by another way than the services: the deployment says by which.
        """
        given = self.environment.get("THREEGAPS_READER_ADDRESS")
        if given:
            return given
        warehouse = self.warehouse()
        return f"{warehouse['host']}:{warehouse['port']}"

    def warehouse_dsn(self) -> str:
        """The warehouse's address as psycopg takes it."""
        return to_dsn(self.warehouse())


def _folder(variable: str, written: str | Path) -> Path:
    """The folder that *variable* names, which need not be there yet; what stands in its way is no folder."""
    try:
        path = Path(written).resolve()
        nearest = next(place for place in (path, *path.parents) if place.exists())
        is_folder = nearest.is_dir()
    except (OSError, RuntimeError, ValueError):  # a name that is too long, or a link to itself
        is_folder = False
    if not is_folder:
        raise SettingsError(f"{variable} names no folder.", advice="set it to one, which need not be there yet.")
    return path


def local_folder(uri: str) -> Path | None:
    """The folder that a plain path or a ``file:`` URI names; None for anything else."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme in {"", "file"} else None


def to_dsn(parts: Mapping[str, str]) -> str:
    """Key-value connection string of *parts*, quoted as libpq asks."""
    return " ".join(f"{key}='{_quoted(value)}'" for key, value in parts.items() if value)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(
            f"{path.name} in the runtime home cannot be read: {error.strerror}.", advice=_OWN_HOME
        ) from None
    except ValueError as error:
        raise SettingsError(
            f"{path.name} in the runtime home is not valid JSON: {error}.", advice="restore or delete it."
        ) from None


def _write_json(path: Path, values: Mapping[str, Any], *, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            json.dump(values, file, ensure_ascii=False, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise SettingsError(
            f"{path.name} in the runtime home cannot be written: {error.strerror}.", advice=_OWN_HOME
        ) from None
