"""The pools of the departments, made by Airflow's own command where no server answers yet."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from threegaps.contracts.loader import load_contracts
from threegaps.errors import ServiceError, of_warehouse
from threegaps.orchestration.names import POOL_SLOTS, pools
from threegaps.settings import Settings

_CONNECT_SECONDS = 5


def import_pools(settings: Settings) -> list[str]:
    """Make every pool that the DAGs use; their names. The environment says which Airflow it is.

    Raises:
        ServiceError: Airflow refuses.
    """
    wanted = pools(load_contracts(settings.contracts_folder))
    _see_database()
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
        said = (finished.stderr.strip() or finished.stdout.strip())[-300:] or f"it ended with {finished.returncode}"
        raise ServiceError(f"Airflow's pools could not be made: {said}", advice="run `airflow db migrate` first.")
    return sorted(wanted)


def _see_database() -> None:
    """Let what cannot reach Airflow's database say so at once: Airflow tries for a minute, and names no cause.

    Raises:
        ServiceError: No session is to be had there.
    """
    from airflow.configuration import conf
    from sqlalchemy.engine import make_url

    url = make_url(str(conf.get("database", "sql_alchemy_conn")))
    if url.get_backend_name() != "postgresql":
        return
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        psycopg.connect(address, connect_timeout=_CONNECT_SECONDS).close()
    except psycopg.Error as error:
        raise ServiceError(
            f"Airflow's database at {url.host or 'localhost'}:{url.port or 5432}: {of_warehouse(error)}",
            advice="see that it is up and AIRFLOW__DATABASE__SQL_ALCHEMY_CONN right, then `airflow db migrate`.",
        ) from None
