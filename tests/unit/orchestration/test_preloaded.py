"""What the scheduler imports for its forks: nothing that starts a thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from threegaps.settings import Settings


def test_nothing_preloaded_starts_a_thread() -> None:
    code = (
        "import json, sys, threading\n"
        "from threegaps.orchestration.preloaded import _NEEDED_BY_TASKS, preload\n"
        "preload()\n"
        "native = len(__import__('os').listdir('/proc/self/task')) if sys.platform == 'linux' else 1\n"
        "missing = [name for name in _NEEDED_BY_TASKS if name not in sys.modules]\n"
        "print(json.dumps([threading.active_count(), native, 'polars' in sys.modules, missing]))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Settings.load().root / "plugins")},
    )
    assert json.loads(finished.stdout.strip().splitlines()[-1]) == [1, 1, False, []]
