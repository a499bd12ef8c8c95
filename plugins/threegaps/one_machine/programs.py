"""Programs below the supervisor: services, which run as long as it does, and jobs, which run once."""

from __future__ import annotations

import contextlib
import datetime as dt
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from threegaps.errors import ServiceError
from threegaps.home import processes
from threegaps.settings import SHANGHAI
from threegaps.standards import visible
from threegaps.standards.moments import clock

SERVICE_VARIABLE = "THREEGAPS_SERVICE"
"""In the environment of every service and job, and of what they start: by it they are known when nobody has them."""

_STEADY_SECONDS = 60.0
_LOOK_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 60.0
_LARGEST_LOG_BYTES = 50_000_000


@dataclass(slots=True)
class Service:
    """A process that is to run as long as the supervisor does."""

    name: str
    command: Sequence[str]
    log: Path
    environment: dict[str, str] = field(repr=False, default_factory=dict)
    options: dict[str, Any] = field(repr=False, default_factory=dict)
    stop_signal: int = signal.SIGTERM
    is_hung: Callable[[int], bool] | None = field(repr=False, default=None)
    """Whether the process of this id hangs and is to be ended; None: that is for people to decide."""
    restarts: int = 0
    started_at: float = 0.0
    next_start_at: float = 0.0
    next_look_at: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process; its output goes to the end of its log."""
        turn_over(self.log)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **(child_options(signal.SIGKILL) | self.options),
                env=marked(self.environment, self.name),
            )
        self.started_at = time.monotonic()

    def tend(self, *, may_start: bool = True) -> bool:
        """Start the process again when it has ended, after a pause that doubles; True when something changed.

        Args:
            may_start: Not while something that a process before it started still runs: it would do the work twice.
        """
        now = time.monotonic()
        if self.is_running:
            if self.is_hung and self.process and now >= self.next_look_at:
                self.next_look_at = now + _LOOK_SECONDS
                if self.is_hung(self.process.pid):
                    say(f"{self.name} hangs and is ended. Its log: {self.log}")
                    processes.end([self.process.pid], signal_number=signal.SIGKILL)
            return False
        if self.process is not None:
            code = self.process.returncode
            if now - self.started_at > _STEADY_SECONDS:
                self.restarts = 0
            pause = self._put_off(now)
            self.process = None
            say(f"{self.name} ended with code {code}; it starts again in {pause:.0f} s. Its log: {self.log}")
            return True
        if not may_start or now < self.next_start_at:
            return False
        try:
            self.start()
        except OSError as error:
            # No room for its log, no memory for a process: the others must not end for it.
            pause = self._put_off(now)
            say(f"{self.name} cannot be started ({error.strerror}); it is tried again in {pause:.0f} s.")
        return True

    def _put_off(self, now: float) -> float:
        """Count one more start, and put it off for longer each time; by how many seconds."""
        pause = min(2.0**self.restarts, _LONGEST_PAUSE_SECONDS)
        self.restarts += 1
        self.next_start_at = now + pause
        return pause

    def account(self) -> dict[str, Any]:
        """What the status file says of it."""
        running = self.is_running
        return {
            "name": self.name,
            "state": "running" if running else "waiting to start again",
            "pid": self.process.pid if running and self.process else None,
            "restarts": self.restarts,
            "log": str(self.log),
        }


@dataclass(slots=True)
class Job:
    """Something that runs once while the services start."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    step: dict[str, Any]
    started_at: float

    def poll(self) -> bool:
        """Whether it is done.

        Raises:
            ServiceError: It failed.
        """
        code = self.process.poll()
        if code is None:
            return False
        if code != 0:
            self.step["state"] = "failed"
            last = last_lines(self.log)
            raise ServiceError(f"{self.step['title']}: failed with code {code}. {last}", advice=f"read {self.log}.")
        self.step |= {"state": "done", "seconds": round(time.monotonic() - self.started_at, 1)}
        return True


def child_options(signal_number: int = signal.SIGTERM) -> dict[str, Any]:
    """How a child is started: it gets *signal_number* when its parent ends, and has a session of its own.

    A service is killed then: asked to stop, Airflow's scheduler would first wait for its tasks, with nobody to end it.
    """
    return {"preexec_fn": partial(processes.die_with_parent, signal_number), "start_new_session": True}


def marked(environment: Mapping[str, str], name: str) -> dict[str, str]:
    """The environment of the service or job *name*, which can be known by it as long as it lives."""
    # Airflow gives its processes titles, and would write them over this.
    return {**environment, SERVICE_VARIABLE: name, "SPT_NOENV": "1"}


def turn_over(log: Path) -> None:
    """Make the log's folder, and put a log that has grown too large aside."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def say(message: str) -> None:
    """A line with the time in the supervisor's own log, where there is room for it."""
    with contextlib.suppress(OSError):
        now = clock(dt.datetime.now(SHANGHAI), with_seconds=True)
        visible.say(f"{now} {visible.one_line(message)}", is_error=True)


def last_lines(log: Path, *, lines: int = 3) -> str:
    """The end of a log in one line."""
    return " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:])
