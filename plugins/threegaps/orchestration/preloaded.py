"""Airflow whose forks end with it; and its scheduler and DAG processor with what each fork needs already imported.

`python -m threegaps.orchestration.preloaded scheduler` is `airflow scheduler`.

A scheduler that is killed leaves workers that wait for it for ever, and tasks that go on beside those that the next one
starts. Here each fork is killed by the system when its parent ends (`threegaps.home.processes.tie_forks`).

The local executor forks its workers and tasks from the scheduler. Whatever is imported before is shared with them and
costs once: Airflow's own parts take each task 3 s of a core, Great Expectations 7 s. Nothing that starts a thread is
imported here, for a fork would leave it behind: polars belongs to the tasks, and numpy's own threads are switched off.
The DAG processor forks for each reading of a DAG file, minute by minute: what DAG files import is there before, and so
are the contracts.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys

from threegaps.home import processes

_NEEDED_BY_DAG_FILES = (
    "airflow.dag_processing.bundles.manager",
    "airflow.dag_processing.dagbag",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.short_circuit",
    "airflow.providers.standard.operators.empty",
    "airflow.providers.standard.operators.trigger_dagrun",
    "threegaps.orchestration.feeds",
    "threegaps.orchestration.marts",
    "threegaps.orchestration.released",
    "threegaps.orchestration.upkeep",
)
_NEEDED_BY_TASKS = (
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.executors.local_executor",
    *_NEEDED_BY_DAG_FILES,
    "airflow.providers.sftp.hooks.sftp",
    "great_expectations",
    "great_expectations.expectations",
    "threegaps.rules.great_expectations_classes",
    "threegaps.feed_run",
)
_NEEDED_BY = {"scheduler": _NEEDED_BY_TASKS, "dag-processor": _NEEDED_BY_DAG_FILES}


def preload(service: str = "scheduler") -> None:
    """Import what the forks of a *service* need; what this version of Airflow does not have is left to the fork."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # It tells of every class that takes the place of one of its own.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    for name in _NEEDED_BY[service]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if service == "dag-processor":
        _read_contracts()


def _read_contracts() -> None:
    """Have them read: a fork then reads those alone that have changed since."""
    from threegaps.contracts.loader import load_readable
    from threegaps.settings import Settings

    load_readable(Settings.load().contracts_folder)


def main() -> None:
    """Be `airflow` with the arguments given."""
    from airflow.__main__ import main as airflow

    processes.tie_forks()
    if service := next(iter({*sys.argv[1:2]} & _NEEDED_BY.keys()), None):
        preload(service)
    sys.argv[0] = "airflow"
    airflow()


if __name__ == "__main__":
    main()
