"""The stand-in departments of one machine: made, filled and moved on in time, each by a process of the sandbox."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from threegaps.errors import ServiceError, SettingsError
from threegaps.one_machine.environment import departments_with_database
from threegaps.settings import Settings, department_database, to_dsn
from threegaps.standards import visible


@dataclass(frozen=True, slots=True)
class Consigned:
    """What a department sent on a day, or did not send when it was due.

    Args:
        day: The day.
        feed: The feed.
        delivery: Its delivery.
        part: Which of several consignments of the delivery; empty where there is one.
        fate: What the dice say of it: on time, late, spoilt, corrected, never.
        came: `right`, `wrong` (a right one follows) or `not`.
    """

    day: dt.date
    feed: str
    delivery: str
    part: str
    fate: str
    came: str


DEFAULT_SCALE = "0.001"
"""Size of the synthetic province, as the sandbox has it; a first run then takes some ten minutes on two cores."""


def make(settings: Settings) -> None:
    """Generate the synthetic province unless it is there, and fill the departments' databases from it."""
    state = settings.state()
    scale = str(settings.sandbox_scale or state.get("sandbox_scale") or DEFAULT_SCALE)
    asked = settings.sandbox_seed
    seed = str((state.get("sandbox_seed") or "20250527") if asked is None else asked)
    home = settings.sandbox_folder
    _run(settings, "generate", "--home", str(home), "--scale", scale, "--seed", seed)
    departments = departments_with_database(settings)
    mark = " ".join([scale, seed, *departments])
    if state.get("sandbox_loaded") != mark:
        load_databases(settings)
    settings.remember(sandbox_scale=scale, sandbox_seed=seed, sandbox_loaded=mark)


def load_databases(settings: Settings) -> None:
    """Fill the database of each department as it stands on the sandbox's day."""
    home = str(settings.sandbox_folder)
    for department in departments_with_database(settings):
        dsn = _department_dsn(settings, department)
        _run(settings, "load-database", "--home", home, "--department", department, "--dsn", dsn)


def upcoming(settings: Settings, day: dt.date) -> tuple[Consigned, ...]:
    """What the departments will send until *day*, in order.

    Raises:
        SettingsError: The day lies before the sandbox's own, or after the last one that it is made for.
    """
    return _consigned(settings, "upcoming", day)


def advance(settings: Settings, day: dt.date) -> tuple[Consigned, ...]:
    """Let the departments send what falls due until *day*, and load their databases again; what came, in order.

    Raises:
        SettingsError: The day lies before the sandbox's own, or after the last one that it is made for.
    """
    came = _consigned(settings, "advance", day)
    load_databases(settings)
    return came


def last_deliveries(settings: Settings) -> tuple[dt.date, dict[str, str]]:
    """The last day that the departments can be moved to, and what each feed of files sends last until then."""
    answer = json.loads(_run(settings, "last-deliveries"))
    return dt.date.fromisoformat(answer["horizon"]), answer["last_deliveries"]


def _consigned(settings: Settings, command: str, day: dt.date) -> tuple[Consigned, ...]:
    answer = _run(settings, command, "--home", str(settings.sandbox_folder), "--to", day.isoformat())
    return tuple(
        Consigned(**{**consigned, "day": dt.date.fromisoformat(consigned["day"])})
        for consigned in json.loads(answer)["deliveries"]
    )


def _run(settings: Settings, *arguments: str) -> str:
    """Run a command of the sandbox; what it prints."""
    finished = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments], cwd=settings.root, check=False, capture_output=True, text=True
    )
    if finished.returncode == 2:
        raise SettingsError(f"The sandbox cannot be moved there: {finished.stderr.strip()}.")
    if finished.returncode != 0:
        # The process's own log has the rest; it holds no person, since all of it is synthetic.
        visible.say(finished.stderr.rstrip(), is_error=True)
        raise ServiceError(f"The sandbox could not be made: `sandbox {arguments[0]}` failed.")
    return finished.stdout


def _department_dsn(settings: Settings, department: str) -> str:
    """Address of a department's database; the password lies in a file, not in the command line."""
    port = str(settings.state()["postgres_port"])
    database = department_database(department)
    path = Path(settings.home) / "run" / f"{database}.pgpass"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"127.0.0.1:{port}:{database}:department:{settings.secret('postgres_department')}\n")
    return to_dsn({"host": "127.0.0.1", "port": port, "user": "department", "dbname": database, "passfile": str(path)})
