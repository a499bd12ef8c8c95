"""Airflow as the DAG processor sees it: our plugin folder, no database."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from threegaps.home.owners import note_owner
from threegaps.settings import Settings

_ROOT = Settings.load().root
_HOME = tempfile.mkdtemp(prefix="threegaps-airflow-")
note_owner(Path(_HOME))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)

# Airflow reads its configuration when it is imported, so the variables stand before any test module is.
os.environ |= {
    "AIRFLOW_HOME": _HOME,
    "AIRFLOW__CORE__DAGS_FOLDER": str(_ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(_ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
}
