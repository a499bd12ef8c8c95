"""The pools of the departments, made by Airflow's own command where no server answers yet."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from threegaps.contracts.loader import load_contracts
from threegaps.errors import ServiceError
from threegaps.orchestration.names import POOL_SLOTS, pools
from threegaps.settings import Settings


def import_pools(settings: Settings) -> list[str]:
    """Make every pool that the DAGs use; their names. The environment says which Airflow it is.

    Raises:
        ServiceError: Airflow refuses.
    """
    wanted = pools(load_contracts(settings.contracts_folder))
    content = {
        name: {"slots": POOL_SLOTS, "description": description, "include_deferred": False}
        for name, description in wanted.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pools.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        finished = subprocess.run(
            [sys.executable, "-m", "airflow", "pools", "import", str(path)], capture_output=True, text=True, check=False
        )
    if finished.returncode != 0:
        raise ServiceError(
            f"Airflow's pools could not be made: {finished.stderr.strip()[-300:]}",
            advice="run `airflow db migrate` first.",
        )
    return sorted(wanted)
