"""The project without the sandbox: with real departments nothing of ``sandbox/`` or ``tests/`` is needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from threegaps.settings import Settings

ROOT = Settings.load().root
SHIPPED = ("plugins", "dags", "expectations", "dbt_project")
# One process imports all of the package, reads the contracts and the DAG files.
READ = """
import importlib, json, pkgutil, sys
import threegaps
names = [one.name for one in pkgutil.walk_packages(threegaps.__path__, "threegaps.")]
for name in names:
    if not name.endswith("__main__") and ".migrations" not in name:
        importlib.import_module(name)
from airflow.dag_processing.dagbag import DagBag
from threegaps.contracts.loader import load_contracts
from threegaps.settings import Settings
settings = Settings.load()
bag = DagBag(settings.root / "dags")
print(json.dumps({
    "modules": len(names),
    "root": str(settings.root),
    "feeds": len(load_contracts(settings.contracts_folder)),
    "dags": len(bag.dags),
    "errors": {str(path): text for path, text in bag.import_errors.items()},
    "strangers": sorted({name.split(".")[0] for name in sys.modules} & {"sandbox", "tests", "benchmarks"}),
}))
"""


def test_package_contracts_and_dags_need_no_line_of_the_sandbox(tmp_path: Path) -> None:
    for name in SHIPPED:
        # With its byte code, which is that of the same sources: compiling them takes longer than reading them.
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("target", "logs", "*.egg-info"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "THREEGAPS"))}
    environment |= {
        "PYTHONPATH": str(tmp_path / "plugins"),
        "THREEGAPS_ROOT": str(tmp_path),
        "THREEGAPS_HOME": str(tmp_path / "home"),
        "THREEGAPS_SANDBOX": "0",
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
    }
    done = subprocess.run(
        [sys.executable, "-c", READ], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    feeds = len([*(ROOT / "expectations").glob("*/*.odcs.yaml")])
    assert found["errors"] == {}
    assert found["strangers"] == []
    assert (found["root"], found["feeds"], found["dags"]) == (str(tmp_path), feeds, feeds + 4)
    assert found["modules"] > 150


def test_the_dbt_project_reads_nothing_outside_itself() -> None:
    """dbt reads its own folder alone, so it loads wherever the rest is left out."""
    folder = ROOT / "dbt_project"
    assert "sandbox" not in (folder / "dbt_project.yml").read_text(encoding="utf-8")
    assert ".." not in (folder / "dbt_project.yml").read_text(encoding="utf-8")
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
