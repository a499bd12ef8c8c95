"""What two releases say differently, worked out beside the page: of a whole new release that takes seconds."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

from psycopg.conninfo import make_conninfo

from threegaps.release import history
from threegaps.release.history import Comparison

WAIT_SECONDS = 0.2
"""A page waits so long for a comparison; else it comes without, and asks again."""
_KEPT = 8
_Key = tuple[Hashable, int, int]
# What takes longer is given up.
_OPTIONS = "-c statement_timeout=120s -c lock_timeout=5s -c default_transaction_read_only=on"


class Comparisons:
    """Comparisons of releases, one at a time; what was worked out is kept without its single figures.

    Args:
        dsn: Says where the warehouse is.
    """

    def __init__(self, dsn: Callable[[], str]) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._asked: dict[_Key, Future[Comparison]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="comparison")

    def ask(self, first: int, second: int, *, state: Hashable, wait_seconds: float = WAIT_SECONDS) -> Comparison | None:
        """What two releases say differently, without figures; None as long as it is being worked out.

        Args:
            first: A release.
            second: Another one.
            state: Which warehouse it is, and by which release it serves. A release may take figures out of the past:
                what was worked out before it is not said any more.
            wait_seconds: So long it is waited for.

        Raises:
            ReleaseError: There is no such release.
            psycopg.Error: The warehouse does not answer, or not in time; asked again it is tried again.
        """
        key = state, first, second
        with self._lock:
            self._drop(lambda other: other[0] != state)
            if key not in self._asked:
                if len(self._asked) >= _KEPT and not self._drop_one_done():
                    return None
                self._asked[key] = self._worker.submit(self._compare, first, second)
            # What was asked for last is dropped last.
            asked = self._asked[key] = self._asked.pop(key)
        try:
            return asked.result(wait_seconds)
        except (NotYet, CancelledError):
            return None
        except Exception:
            with self._lock:
                self._drop(lambda other: self._asked[other] is asked)
            raise

    def _drop(self, is_dropped: Callable[[_Key], bool]) -> None:
        for key in [one for one in self._asked if is_dropped(one)]:
            self._asked.pop(key).cancel()

    def _drop_one_done(self) -> bool:
        """Make room by what was asked for longest ago; what nobody has seen yet stays."""
        done = next((key for key, asked in self._asked.items() if asked.done()), None)
        if done is not None:
            del self._asked[done]
        return done is not None

    def _compare(self, first: int, second: int) -> Comparison:
        dsn = make_conninfo(self._dsn(), application_name="threegaps duty", options=_OPTIONS)
        return dataclasses.replace(history.compare(dsn, first, second), figures=())
