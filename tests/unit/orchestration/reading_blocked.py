"""Reads each DAG file as Airflow's processor does, in a child of its own, where nothing may be reached; prints JSON.

By file: CPU seconds, and those that a bare parser needs for the contracts in the same process; faults, the version of
each DAG, the packages that are imported then; and these of the plugin.
"""

from __future__ import annotations

import json
import multiprocessing
import runpy
import sys
import threading
import time
import zoneinfo
from pathlib import Path
from typing import Any

import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization

ROOT = Path(__file__).resolve().parents[3]
_BLOCKED = ("socket.", "sqlite3.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork")
_FILES = frozenset({"open", "os.listdir", "os.scandir"})
# What Python and its packages are made of, time zones among it, and the project's own files.
_READABLE = (sys.prefix, sys.base_prefix, str(Path(sys.base_prefix).resolve()), *zoneinfo.TZPATH, str(ROOT))
# A hook can never be removed; writing a DAG down is Airflow's own.
_is_reading = threading.Event()


class ReachedError(Exception):
    """Reading a DAG file reached for something outside."""


def _block(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse sockets, databases, processes, and files of anybody else, while a file is read."""
    if not _is_reading.is_set():
        return
    if event in _FILES:
        path = arguments[0]
        if isinstance(path, str) and not str(Path(path).absolute()).startswith(_READABLE):
            raise ReachedError(f"{event} {path}")
    elif event.startswith(_BLOCKED):
        raise ReachedError(event)


def _read(path: Path) -> dict[str, Any]:
    start = time.process_time()
    for contract in sorted((ROOT / "expectations").rglob("*.yaml")):
        yaml.load(contract.read_text(encoding="utf-8"), yaml.CSafeLoader)
    parsing_seconds = time.process_time() - start
    sys.addaudithook(_block)
    _is_reading.set()
    start = time.process_time()
    bag = DagBag(path)
    seconds = time.process_time() - start
    _is_reading.clear()
    return {
        "cpu_seconds": seconds,
        "parsing_seconds": parsing_seconds,
        "faults": list(bag.import_errors.values()),
        "versions": {
            dag_id: SerializedDagModel.hash(DagSerialization.to_dict(dag)) for dag_id, dag in bag.dags.items()
        },
        "packages": _packages(),
    }


def _packages(plugin: Path | None = None) -> list[str]:
    """What this process has imported; with *plugin*, when it has read that too."""
    if plugin:
        runpy.run_path(str(plugin))
    return sorted({name.split(".")[0] for name in sys.modules})


if __name__ == "__main__":
    found = {}
    for file in sorted((ROOT / "dags").glob("*.py")):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            found[file.name] = pool.apply(_read, [file])
    with multiprocessing.get_context("fork").Pool(1) as pool:
        plugin = pool.apply(_packages, [ROOT / "plugins" / "threegaps_plugin.py"])
    sys.stdout.write(json.dumps({"files": found, "packages_of_plugin": plugin}) + "\n")
