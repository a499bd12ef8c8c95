"""What two releases say differently, worked out beside the page: of a whole new release that takes seconds."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

from psycopg.conninfo import make_conninfo

from threegaps.release import history
from threegaps.release.history import Comparison

WAIT_SECONDS = 0.2
"""A page waits so long for a comparison; else it comes without, and asks again."""
_KEPT = 8
# It writes temporary tables, so it may not be forbidden to write; what takes longer is given up.
_OPTIONS = "-c statement_timeout=120s -c lock_timeout=5s"


class Comparisons:
    """Comparisons of releases, one at a time; what was worked out is kept without its single figures.

    Args:
        dsn: Says where the warehouse is.
    """

    def __init__(self, dsn: Callable[[], str]) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._asked: dict[tuple[int, int], Future[Comparison]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="comparison")

    def ask(self, first: int, second: int, *, wait_seconds: float = WAIT_SECONDS) -> Comparison | None:
        """What two releases say differently, without figures; None as long as it is being worked out.

        Raises:
            ReleaseError: There is no such release.
            psycopg.Error: The warehouse does not answer, or not in time; asked again it is tried again.
        """
        key = first, second
        with self._lock:
            if key not in self._asked:
                while len(self._asked) >= _KEPT:
                    self._asked.pop(next(iter(self._asked)))
                self._asked[key] = self._worker.submit(self._compare, first, second)
            asked = self._asked[key]
        try:
            return asked.result(wait_seconds)
        except NotYet:
            return None
        except Exception:
            with self._lock:
                self._asked.pop(key, None)
            raise

    def _compare(self, first: int, second: int) -> Comparison:
        dsn = make_conninfo(self._dsn(), application_name="threegaps duty", options=_OPTIONS)
        return dataclasses.replace(history.compare(dsn, first, second), figures=())
