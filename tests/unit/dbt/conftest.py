"""dbt's manifest of the project, compiled without a database."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"


@pytest.fixture(scope="session")
def manifest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """dbt's manifest, with the compiled text of the intermediate models; made once, whichever worker comes first."""
    own = tmp_path_factory.getbasetemp()
    # Asked of pytest, not of the environment: a run that a worker's test has started inherits that.
    folder = (own.parent if hasattr(request.config, "workerinput") else own) / "compiled"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = folder / "manifest.json"
        if not path.is_file():
            _compile(folder)
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _compile(folder: Path) -> None:
    dbt = shutil.which("dbt", path=str(Path(sys.executable).parent)) or "dbt"
    target = folder / "target"
    command = [dbt, "compile", "--select", "path:models/intermediate", "--no-introspect", "--no-populate-cache"]
    command += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    command += ["--target-path", str(target), "--log-path", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    (target / "manifest.json").rename(folder / "manifest.json")
