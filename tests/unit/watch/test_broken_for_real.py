"""Every kind of incident is broken for real by a test, not by rows that say what a broken thing would leave."""

from __future__ import annotations

import json
import subprocess
import sys

from threegaps.settings import Settings
from threegaps.watch.kinds import KINDS

# What pytest itself would run: a test that is not collected, or skipped, breaks nothing.
COLLECT = """
import json, sys, pytest
class Found:
    def pytest_collection_modifyitems(self, items):
        self.kinds = {
            item.nodeid: list(item.get_closest_marker("breaks").args)
            for item in items
            if item.get_closest_marker("breaks")
            and not any(item.get_closest_marker(name) for name in ("skip", "skipif", "xfail"))
        }
found = Found()
code = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *sys.argv[1:]], [found])
print(json.dumps(found.kinds))
sys.exit(code)
"""


def test_every_kind_is_broken_for_real_by_a_test_that_runs() -> None:
    root = Settings.load().root
    files = [
        path.relative_to(root).as_posix()
        for folder in ("integration", "end_to_end")
        for path in sorted((root / "tests" / folder).rglob("test_*.py"))
        if "pytest.mark.breaks(" in path.read_text(encoding="utf-8")
    ]
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, *files], cwd=root, capture_output=True, text=True, check=True, timeout=120
    )
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    assert {kind for kinds in found.values() for kind in kinds} == KINDS.keys()
