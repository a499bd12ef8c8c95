"""What runs once, in processes of its own, while the services start: the ledger's schema and the synthetic province."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from threegaps.errors import ServiceError
from threegaps.settings import DEPARTMENT_DATABASE, Settings, to_dsn


def upgrade_ledger(settings: Settings) -> None:
    """Bring the warehouse's ledger to the newest schema."""
    from threegaps.ledger.migrate import upgrade

    upgrade(settings.warehouse_dsn())


def make_sandbox(settings: Settings) -> None:
    """Generate the synthetic province unless it is there, and fill the departmental database from it."""
    state = settings.state()
    scale = str(settings.environment.get("THREEGAPS_SANDBOX_SCALE") or state.get("sandbox_scale") or "0.0005")
    seed = str(settings.environment.get("THREEGAPS_SANDBOX_SEED") or state.get("sandbox_seed") or "20250527")
    home = settings.sandbox_folder
    _run(settings, "generate", "--home", str(home), "--scale", scale, "--seed", seed)
    mark = f"{scale} {seed}"
    if state.get("sandbox_loaded") != mark:
        _run(settings, "load-database", "--home", str(home), "--dsn", _department_dsn(settings))
    settings.remember(sandbox_scale=scale, sandbox_seed=seed, sandbox_loaded=mark)


def _run(settings: Settings, *arguments: str) -> None:
    finished = subprocess.run([sys.executable, "-m", "sandbox", *arguments], cwd=settings.root, check=False)
    if finished.returncode != 0:
        raise ServiceError(f"The sandbox could not be made: `sandbox {arguments[0]}` failed.")


def _department_dsn(settings: Settings) -> str:
    """Address of the departmental database; the password lies in a file, not in the command line."""
    port = str(settings.state()["postgres_port"])
    path = Path(settings.home) / "run" / "department.pgpass"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"127.0.0.1:{port}:{DEPARTMENT_DATABASE}:department:{settings.secret('postgres_department')}\n")
    return to_dsn(
        {
            "host": "127.0.0.1",
            "port": port,
            "user": "department",
            "dbname": DEPARTMENT_DATABASE,
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
