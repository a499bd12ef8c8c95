"""What runs once, in processes of its own, while the services start: the ledger's schema and the synthetic province."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from threegaps.errors import ServiceError
from threegaps.one_machine.environment import departments_with_database
from threegaps.settings import Settings, department_database, to_dsn


def upgrade_ledger(settings: Settings) -> None:
    """Bring the warehouse's ledger to the newest schema."""
    from threegaps.ledger.migrate import upgrade

    upgrade(settings.warehouse_dsn())


def make_sandbox(settings: Settings) -> None:
    """Generate the synthetic province unless it is there, and fill the departments' databases from it."""
    state = settings.state()
    scale = str(settings.environment.get("THREEGAPS_SANDBOX_SCALE") or state.get("sandbox_scale") or "0.0005")
    seed = str(settings.environment.get("THREEGAPS_SANDBOX_SEED") or state.get("sandbox_seed") or "20250527")
    home = settings.sandbox_folder
    _run(settings, "generate", "--home", str(home), "--scale", scale, "--seed", seed)
    departments = departments_with_database(settings)
    mark = " ".join([scale, seed, *departments])
    if state.get("sandbox_loaded") != mark:
        load_databases(settings)
    settings.remember(sandbox_scale=scale, sandbox_seed=seed, sandbox_loaded=mark)


def load_databases(settings: Settings) -> None:
    """Fill the database of each stand-in department as it stands on the sandbox's day."""
    home = str(settings.sandbox_folder)
    for department in departments_with_database(settings):
        dsn = _department_dsn(settings, department)
        _run(settings, "load-database", "--home", home, "--department", department, "--dsn", dsn)


def _run(settings: Settings, *arguments: str) -> None:
    finished = subprocess.run([sys.executable, "-m", "sandbox", *arguments], cwd=settings.root, check=False)
    if finished.returncode != 0:
        raise ServiceError(f"The sandbox could not be made: `sandbox {arguments[0]}` failed.")


def _department_dsn(settings: Settings, department: str) -> str:
    """Address of a department's database; the password lies in a file, not in the command line."""
    port = str(settings.state()["postgres_port"])
    database = department_database(department)
    path = Path(settings.home) / "run" / f"{database}.pgpass"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"127.0.0.1:{port}:{database}:department:{settings.secret('postgres_department')}\n")
    return to_dsn(
        {
            "host": "127.0.0.1",
            "port": port,
            "user": "department",
            "dbname": database,
            "passfile": str(path),
        }
    )


def main() -> int:
    """Run the one step that is named."""
    settings = Settings.load()
    step = sys.argv[1]
    if step == "ledger":
        upgrade_ledger(settings)
    elif step == "sandbox":
        make_sandbox(settings)
    else:
        sys.stderr.write(f"unknown step {step!r}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
