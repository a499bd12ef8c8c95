"""Airflow's own API on a database of its own, with the DAG of one feed and without a scheduler.

`python serving_airflow.py PORT`, in an environment that names its home; ready when the API answers.
"""

from __future__ import annotations

import sys

import uvicorn
from airflow.api_fastapi.app import create_app
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.utils.db import initdb

from threegaps.settings import Settings


def main() -> None:
    """Make the database, enter the DAG, and answer until the process is ended."""
    initdb()
    DagBundlesManager().sync_bundles_to_db()
    folder = Settings.load().root / "dags"
    bag = BundleDagBag(folder / "feeds.py", bundle_path=folder, bundle_name="dags-folder")
    sync_bag_to_db(bag, "dags-folder", None)
    uvicorn.run(create_app(apps="core"), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
