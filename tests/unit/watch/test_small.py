"""The watch stays small: what it imports, and what its process takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from threegaps.settings import Settings

LARGE = {
    "airflow", "alembic", "asyncssh", "dbt", "fastapi", "great_expectations", "openpyxl", "pandas", "polars", "pyarrow",
    "pydantic", "rich", "sqlalchemy", "typer",
}  # fmt: skip
MOST_BYTES = 60_000_000

PROBE = """
import json, os, sys
from threegaps.settings import Settings
from threegaps.watch.service import Watch
Watch(Settings.load())
pages = int(open("/proc/self/statm").read().split()[1]) if os.path.exists("/proc/self/statm") else 0
print(json.dumps([sorted({name.split(".")[0] for name in sys.modules}), pages * os.sysconf("SC_PAGE_SIZE")]))
"""


def test_it_imports_nothing_large_and_takes_little_memory(tmp_path: object) -> None:
    settings = Settings.load()
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=os.environ | {"PYTHONPATH": str(settings.root / "plugins"), "THREEGAPS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    modules, resident = json.loads(done.stdout)
    assert "psycopg" in modules
    assert set(modules) & LARGE == set()
    assert resident < MOST_BYTES
