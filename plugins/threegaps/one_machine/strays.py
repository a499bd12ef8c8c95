"""Strays: processes of a home's services that no running service has any more.

While keeper or supervisor live, whatever loses its parent below them is theirs and is ended. When both were killed at
once, or the system does not let orphans be adopted, something may be left. It carries its home and service in the
environment that it was started with (`programs.marked`); what PostgreSQL leaves works in the folder of its data.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from threegaps.errors import ServiceError
from threegaps.home import account, processes
from threegaps.one_machine.postgres import data_folders, servers_in
from threegaps.one_machine.programs import SERVICE_VARIABLE
from threegaps.settings import Settings

_POSTGRES = "postgres"
_PATIENCE_SECONDS = 10.0
_LAST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Stray:
    """A process that nobody has.

    Args:
        process_id: Its number.
        service: The service or job that it was started as, or by.
    """

    process_id: int
    service: str


def find(settings: Settings, *, spared: Collection[int] = ()) -> list[Stray]:
    """The processes of this home's services, and what they have started, that are not among *spared* or below them.

    Those of another home are not found, nor commands that somebody runs for this one.
    """
    home = settings.home.resolve()
    found = {
        process_id: variables[SERVICE_VARIABLE]
        for process_id, variables in processes.started_with(SERVICE_VARIABLE).items()
        if Path(variables.get("THREEGAPS_HOME", "")).resolve() == home
    }
    for folder in data_folders(settings.home / "postgres"):
        found |= dict.fromkeys(servers_in(folder), _POSTGRES)
    for process_id, service in list(found.items()):
        for below in processes.descendants(process_id):
            found.setdefault(below, service)
    kept = {os.getpid(), *spared, *(below for one in spared for below in processes.descendants(one))}
    return [
        Stray(process_id, service)
        for process_id, service in sorted(found.items())
        if process_id not in kept and processes.is_alive(process_id)
    ]


def look(settings: Settings) -> list[Stray]:
    """The strays of this home now: all where no supervisor runs, else what is below none of its services."""
    if not account.is_running(settings):
        return find(settings)
    said = account.read_status(settings)
    services = {int(one["pid"]) for one in said.get("services", []) if one["pid"]}
    if said.get("state") != "running":
        # It starts or stops them, and says so when it is done.
        services |= {int(said[name]) for name in ("pid", "keeper_pid") if said.get(name)}
    return find(settings, spared=services)


def end(settings: Settings) -> list[Stray]:
    """End every stray of a home whose supervisor does not run: asked first, killed after some seconds.

    Returns:
        Those that there were.

    Raises:
        ServiceError: One cannot be ended (it is another user's).
    """
    ended = strays = find(settings)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    asked: set[int] = set()
    while strays:
        late = time.monotonic() - deadline
        if late > _LAST_SECONDS:
            raise ServiceError(
                f"还有进程没有结束 | processes of services do not end: {numbers(strays)}.",
                advice=f"由其所属用户或 root 结束 | let their user or root end them: kill -9 {numbers(strays)}",
            )
        for stray in strays:
            if late > 0:
                processes.end([stray.process_id], signal_number=signal.SIGKILL)
            elif stray.process_id not in asked:
                # By SIGTERM PostgreSQL would wait for its sessions.
                is_database = stray.service == _POSTGRES
                processes.end([stray.process_id], signal_number=signal.SIGINT if is_database else signal.SIGTERM)
        asked |= {stray.process_id for stray in strays}
        time.sleep(0.1)
        processes.reap()
        strays = find(settings)
    return ended


def numbers(strays: Collection[Stray]) -> str:
    """Their process ids, as `kill` takes them."""
    return " ".join(str(stray.process_id) for stray in strays)
