"""Faults on request: what a department does to its readers now and then."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Faults:
    """Switches; zero or empty means off. Counters of requests run from the moment a switch was set.

    rate_limit_every: every nth data request answers 429 with Retry-After 1.
    bad_gateway_every: every nth data request answers 502.
    half_page_every: every nth page is cut in the middle of its JSON.
    slow_seconds: every data answer waits so long (for time-outs).
    shift_pages: every page after the first begins so many rows early, as when rows came in while a reader pages.
    as_of: "YYYY-MM-DD HH:MM:SS": the gateway knows nothing later than this.
    late_paths: comma-separated parts of paths: what has one of them is not on the SFTP server yet.
    """

    rate_limit_every: int = 0
    bad_gateway_every: int = 0
    half_page_every: int = 0
    slow_seconds: float = 0.0
    shift_pages: int = 0
    as_of: str = ""
    late_paths: str = ""

    def update(self, values: dict[str, object]) -> None:
        """Set some switches. Raises ValueError for an unknown name or a value of the wrong type."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown fault: {name}")
            try:
                setattr(self, name, known[name](value))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{name} must be {known[name].__name__}") from error

    def as_dict(self) -> dict[str, object]:
        """All switches with their values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Counter:
    """A thread-safe count of requests by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def next(self, name: str) -> int:
        """Number of this request, from 1."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1
            return self._counts[name]
