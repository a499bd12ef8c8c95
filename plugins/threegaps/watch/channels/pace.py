"""No more than so many messages a minute, counted here before the other side has to."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from threegaps.watch.message import ChannelError


class Pace:
    """Counts what was sent in the last minute.

    Args:
        limit: So many within any span of 60 seconds.
        clock: Seconds that never go back.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._sent: deque[float] = deque(maxlen=limit)

    def take(self) -> None:
        """Count one that is about to be sent; refused ones count, since the other side counts them.

        Raises:
            ChannelError: It would be one too many; it says how long to wait.
        """
        now = self._clock()
        if len(self._sent) == self._limit and (wait := 60.0 - (now - self._sent[0])) > 0:
            raise ChannelError(
                f"{self._limit} messages have gone out within a minute: the next one waits.", math.ceil(wait)
            )
        self._sent.append(now)
