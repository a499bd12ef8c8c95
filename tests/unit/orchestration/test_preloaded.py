"""What the scheduler imports for its forks: nothing that starts a thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from threegaps.settings import Settings

CODE = """
import json, os, sys, threading
from threegaps.orchestration.preloaded import _NEEDED_BY, preload
preload(sys.argv[1])
native = len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 1
missing = [name for name in _NEEDED_BY[sys.argv[1]] if name not in sys.modules]
print(json.dumps([threading.active_count(), native, "polars" in sys.modules, missing]))
if sys.argv[1] == "dag-processor":
    from airflow.dag_processing.dagbag import DagBag
    from threegaps.contracts import loader
    from threegaps.settings import Settings
    known, read = set(sys.modules), loader._contract_in.cache_info().misses
    bag = DagBag(Settings.load().root / "dags")
    ours = ("threegaps.", "airflow.providers.standard.")
    anew = sorted(name for name in set(sys.modules) - known if name.startswith(ours))
    print(json.dumps([len(bag.dags) > 40, anew, loader._contract_in.cache_info().misses - read]))
"""


@pytest.mark.parametrize("service", ["scheduler", "dag-processor"])
def test_nothing_preloaded_starts_a_thread_and_no_fork_imports_or_reads_it_again(service: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", CODE, service],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Settings.load().root / "plugins")},
    )
    printed = [json.loads(line) for line in finished.stdout.strip().splitlines() if line.startswith("[")]
    assert printed == [[1, 1, False, []], *([[True, [], 0]] if service == "dag-processor" else [])]
