"""Judge the next block while the server takes the one before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
_POLL_SECONDS = 0.1


class _End(Generic[Item]):
    """What stands in the queue after the last item: the error that ended the source, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetched(source: Iterator[Item], *, ahead: int = 1) -> Iterator[Item]:
    """The items of *source*, made by a thread of their own, at most *ahead* of them waiting.

    An error of the source is raised here, where its item would have come. When the reader ends early, the thread ends
    with the item that it is making, before this returns.
    """
    items: queue.Queue[Item | _End[Item]] = queue.Queue(maxsize=ahead)
    is_wanted = threading.Event()
    is_wanted.set()

    def offer(item: Item | _End[Item]) -> None:
        while is_wanted.is_set():
            try:
                items.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return

    def make() -> None:
        error: BaseException | None = None
        try:
            for item in source:
                offer(item)
                if not is_wanted.is_set():
                    return
        except BaseException as raised:  # noqa: BLE001  # raised again in the reader
            error = raised
        offer(_End(error))

    maker = threading.Thread(target=make, name="judge", daemon=True)
    maker.start()
    try:
        while not isinstance(item := items.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        is_wanted.clear()
        maker.join()
