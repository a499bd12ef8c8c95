"""Limits of time that hold whatever what runs below them catches."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator


class DeadlineError(Exception):
    """What was to be done in time was not. No OSError: handlers of those are about disks and networks."""


class _Expired(BaseException):
    """The alarm itself; no handler between where it rings and its `deadline` may take it for an error of its own."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """End what runs below after *seconds*: a server that hangs answers no time-out of its own.

    In the main thread only; elsewhere there is no limit. The limit around this one goes on.

    Raises:
        DeadlineError: The time is up.
    """
    expired = _Expired()

    def expire(_: int, __: object) -> None:
        raise expired

    try:
        before = signal.signal(signal.SIGALRM, expire)
    except ValueError:
        yield
        return
    started = time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if left:
                signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 0.001))
    except _Expired as error:
        if error is not expired:
            raise
        raise DeadlineError("no answer in time") from None
