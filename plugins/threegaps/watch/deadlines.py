"""Limits of time that hold whatever what runs below them catches."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator


class DeadlineError(Exception):
    """What was to be done in time was not. No OSError: handlers of those are about disks and networks."""


class _Expired(BaseException):
    """The alarm itself; no handler between where it rings and its `deadline` may take it for an error of its own."""


# The limits that run, the outermost first, and until when.
_limits: dict[_Expired, float] = {}


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """End what runs below after *seconds*, or with the limit around it: a server that hangs answers no time-out.

    In the main thread only; elsewhere there is no limit. Once the time of a limit is up, nothing below it begins
    another one: what tidies up does not wait again.

    Raises:
        DeadlineError: The time is up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started = time.monotonic()
    for around, until in _limits.items():
        if until <= started:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise around
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    if 0 < left <= seconds:
        # The limit around this one ends first, and its alarm is set.
        yield
        return
    expired = _Expired()

    def expire(_: int, __: object) -> None:
        if expired in _limits:
            raise expired

    before = signal.signal(signal.SIGALRM, expire)
    try:
        try:
            _limits[expired] = started + seconds
            signal.setitimer(signal.ITIMER_REAL, seconds)
            yield
        finally:
            _limits.pop(expired, None)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if left:
                signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 0.001))
    except _Expired as error:
        if error is not expired:
            raise
        raise DeadlineError("no answer in time") from None
