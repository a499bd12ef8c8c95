"""The keeper of the supervisor, and what starts and stops both: up, down.

Two processes watch over each other. The *keeper* inherits whatever loses its parent below it; the *supervisor*,
its only child, has the services. When the supervisor is killed, the keeper ends all that is left; when the keeper is
killed, the supervisor stops as on SIGTERM. Both hold one lock, so that ``down`` knows when the last of them is gone.
What outlived both is ended by the next ``up`` or ``down``: see ``threegaps.one_machine.strays``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from threegaps.errors import ServiceError
from threegaps.home import processes
from threegaps.home.account import read_status, status_path, try_lock
from threegaps.one_machine import strays
from threegaps.one_machine.ports import asked_ports
from threegaps.one_machine.programs import child_options, last_lines, say, turn_over
from threegaps.settings import Settings

_LAST_SECONDS = 15.0


def keep(settings: Settings, *, command: Sequence[str] = ()) -> int:
    """Be the keeper: run the supervisor, pass signals on, and leave nothing behind when it ends, however it ends.

    Args:
        settings: Which home it is for.
        command: What runs the supervisor; by default `threegaps.one_machine.supervisor` does.

    Raises:
        ServiceError: The services of this home run already.
    """
    lock = try_lock(settings)
    if lock is None:
        raise ServiceError("The services run already.", advice="see `threegaps status`, or stop them first.")
    processes.adopt_orphans()
    if left := strays.end(settings):
        say(f"ended what services before have left: {strays.numbers(left)}")
    child: subprocess.Popen[bytes] | None = None

    def forward(number: int, _: object) -> None:
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)
    child = subprocess.Popen(
        list(command) or [sys.executable, "-m", "threegaps.one_machine.supervisor"],
        env=_home_environment(settings),
        cwd=settings.root,
        pass_fds=[lock],
        **child_options(),
    )
    code = child.wait()
    processes.end_descendants(os.getpid(), patience_seconds=5)
    if code < 0:
        account = read_status(settings)
        account |= {"state": "failed", "message": f"The supervisor was ended by signal {-code}.", "services": []}
        status_path(settings).write_text(json.dumps(account, ensure_ascii=False), encoding="utf-8")
    return code if code >= 0 else 1


def start_keeper(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the keeper apart from this terminal."""
    settings.logs_folder.mkdir(parents=True, exist_ok=True)
    log = settings.logs_folder / "supervisor.log"
    turn_over(log)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "threegaps.one_machine.keeper"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_home_environment(settings),
            cwd=settings.root,
            start_new_session=True,
        )


def _home_environment(settings: Settings) -> dict[str, str]:
    variables = dict(settings.environment)
    variables |= {"THREEGAPS_HOME": str(settings.home), "THREEGAPS_ROOT": str(settings.root)}
    folders = [str(settings.root / "plugins"), *filter(None, [variables.get("PYTHONPATH")])]
    variables["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(folders))
    return variables


def wait_until_running(
    settings: Settings, keeper: subprocess.Popen[bytes] | None, report: Callable[[dict[str, Any]], None]
) -> None:
    """Follow the start until all services run; *report* gets each account.

    Raises:
        ServiceError: The start failed; the message says at which step.
    """
    while True:
        account = read_status(settings)
        if account:
            report(account)
        state = account.get("state")
        if state == "running":
            return
        ended = keeper is not None and keeper.poll() is not None
        # Without a keeper of ours the word may be an earlier run's, until the one that starts has written its own.
        if state == "stopping" or (state == "stopped" and keeper is not None):
            raise ServiceError("The services were stopped while they started.", advice="start them again.")
        if ended or state == "failed":
            log = settings.logs_folder / "supervisor.log"
            said = account.get("message") or (last_lines(log) if log.exists() else "")
            raise ServiceError(f"The services did not start: {said}", advice=f"read {log}.")
        time.sleep(0.2)


def see_settings(settings: Settings) -> None:
    """Have what is set for the services read once before anything starts.

    Raises:
        SettingsError: Something of it makes no sense.
    """
    asked_ports(settings)
    _ = settings.sandbox_scale, settings.sandbox_seed, settings.sandbox_last_day, settings.least_free_bytes


def up(settings: Settings, report: Callable[[dict[str, Any]], None]) -> bool:
    """Start the services unless they run, and wait until they do; True when they had to be started."""
    lock = try_lock(settings)
    if lock is None:
        wait_until_running(settings, None, report)
        return False
    status_path(settings).unlink(missing_ok=True)
    os.close(lock)
    wait_until_running(settings, start_keeper(settings), report)
    return True


def down(settings: Settings, *, seconds: float = 60) -> bool:
    """Stop the services and wait until the last process of them has ended; False when none ran.

    Keeper and supervisor that do not end within *seconds* (they hang) are killed, and what they had is ended.

    Raises:
        ServiceError: Something still runs then.
    """
    lock = try_lock(settings)
    ran = lock is None
    deadline = time.monotonic() + seconds
    asked: set[int] = set()
    while lock is None:
        account = read_status(settings)
        watchers = {int(account[name]) for name in ("keeper_pid", "pid") if account.get(name, 1) > 1}
        late = time.monotonic() - deadline
        if late > _LAST_SECONDS:
            raise ServiceError(
                f"The services still run after {seconds + _LAST_SECONDS:.0f} s.",
                advice=f"look at {settings.logs_folder / 'supervisor.log'}.",
            )
        if late > 0:
            processes.end(watchers, signal_number=signal.SIGKILL)
        processes.end(watchers - asked)
        asked |= watchers
        time.sleep(0.1)
        lock = try_lock(settings)
    try:
        return bool(strays.end(settings)) or ran
    finally:
        os.close(lock)


def main() -> int:
    """Entry of the keeper's process."""
    try:
        return keep(Settings.load())
    except ServiceError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
