"""A keeper and a supervisor over two stand-in services, each with a grandchild in a session of its own.

`python stand_in.py keep` is what `threegaps up` starts, without databases and Airflow. Every process writes its id
into the home's file `pids`, so that a test can tell whether one outlived its supervisor.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from threegaps.one_machine import keeper, processes, supervisor
from threegaps.one_machine.programs import Service
from threegaps.settings import Settings

SERVICE = """
import os, pathlib, subprocess, sys, time
note = "import os, pathlib, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()} '); time.sleep(600)"
open(sys.argv[1], "a").write(f"{os.getpid()} ")
if sys.argv[2] == "stubborn":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", note, sys.argv[1]], start_new_session=True)
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
    if sys.argv[1] == "supervise":
        processes.adopt_orphans()
        sys.exit(StandIn(settings).run())
    sys.exit(keeper.keep(settings, command=[sys.executable, str(Path(__file__).resolve()), "supervise"]))
