"""A keeper and a supervisor over two stand-in services, each with a grandchild in a session of its own.

`python stand_in.py keep` is what `threegaps up` starts, without databases and Airflow. Every process writes its id
into the home's file `pids`, so that a test can tell whether one outlived its supervisor; the grandchildren heed no
request to end. A service that starts while a grandchild of one before it lives notes that in the file `doubled`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from threegaps.home import processes
from threegaps.one_machine import keeper, strays, supervisor
from threegaps.one_machine.programs import Service
from threegaps.settings import Settings

SERVICE = """
import os, pathlib, signal, subprocess, sys, time
pids, name = sys.argv[1:]
own = pathlib.Path(pids + "." + name)
stat = pathlib.Path("/proc", own.read_text(), "stat") if own.exists() else None
if stat and stat.exists() and ") Z " not in stat.read_text():
    pathlib.Path(pids).with_name("doubled").write_text(name)
open(pids, "a").write(f"{os.getpid()} ")
if name == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
note = (
    "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "open(sys.argv[1], 'a').write(f'{os.getpid()} '); time.sleep(600)"
)
own.write_text(str(subprocess.Popen([sys.executable, "-c", note, pids], start_new_session=True).pid))
time.sleep(600)
"""


class StandIn(supervisor.Supervisor):
    """A supervisor whose services do nothing."""

    def _prepare(self) -> None:
        pids = str(self.settings.home / "pids")
        for name in ("plain", "stubborn"):
            self._start(
                Service(
                    name,
                    [sys.executable, "-c", SERVICE, pids, name],
                    self.settings.logs_folder / f"{name}.log",
                    environment=dict(os.environ),
                )
            )


if __name__ == "__main__":
    settings = Settings.load()
    supervisor._STOP_SECONDS = 2.0
    supervisor._ORPHAN_SECONDS = 1.5
    strays._PATIENCE_SECONDS = 0.5
    if sys.argv[1] == "supervise":
        processes.adopt_orphans()
        sys.exit(StandIn(settings).run())
    sys.exit(keeper.keep(settings, command=[sys.executable, str(Path(__file__).resolve()), "supervise"]))
