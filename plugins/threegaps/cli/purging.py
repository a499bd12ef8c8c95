"""The command `threegaps purge`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from threegaps.cli.options import Json
from threegaps.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    app.command()(purge)


def purge(
    landed_object: Annotated[int, typer.Argument(help="Its number, as `threegaps explain` shows it.")],
    why: Annotated[str, typer.Option("--why", help="Why it has to go; kept in the ledger.")],
    by: Annotated[str | None, typer.Option("--by", help="Who orders it; by default the user of this machine.")] = None,
    json_: Json = False,
) -> None:
    """Remove a landed object's bytes, what the ledger quotes of it, and the log lines that name it; its hash stays."""
    import dataclasses

    from threegaps import feed_run
    from threegaps.cli.output import console, print_json
    from threegaps.one_machine import environment

    settings = Settings.load()
    environment.apply(settings)
    feed_logs, own_logs = _log_folders(settings)
    done = feed_run.purge(
        landed_object, purged_by=by or getpass.getuser(), reason=why, task_logs=feed_logs, own_logs=own_logs
    )
    if json_:
        print_json(dataclasses.asdict(done))
    else:
        console.print(
            f"Landed object {landed_object} is purged: its bytes, {done.messages} messages and refused rows' texts,"
            f" {done.log_lines} log lines. Hash and counts stay.",
            markup=False,
            soft_wrap=True,
        )


def _log_folders(settings: Settings) -> tuple[list[Path], list[Path]]:
    """Folders with the logs of feeds' tasks, and with all others of this installation."""
    from threegaps.one_machine.environment import airflow_home
    from threegaps.orchestration.names import feed_dag

    base = settings.environment.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER")
    airflow_logs = Path(base) if base else airflow_home(settings) / "logs"
    tasks = sorted(airflow_logs.glob(f"dag_id={feed_dag('*')}"))
    others = [folder for folder in sorted(airflow_logs.glob("*")) if folder.is_dir() and folder not in tasks]
    return tasks, [settings.logs_folder, *others]
