"""Judge the next block while the server takes the one before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")
_POLL_SECONDS = 0.1


def prefetched(source: Iterator[Item], *, ahead: int = 1) -> Iterator[Item]:
    """The items of *source*, made by a thread of their own, at most *ahead* of them waiting.

    An error of the source is raised here, in its place. When the reader ends early, the thread ends with the item that
    it is making, before this returns.
    """
    items: queue.Queue[Item] = queue.Queue(maxsize=ahead)
    failures: list[BaseException] = []
    is_wanted = threading.Event()
    is_wanted.set()

    def make() -> None:
        try:
            for item in source:
                while is_wanted.is_set():
                    try:
                        items.put(item, timeout=_POLL_SECONDS)
                        break
                    except queue.Full:
                        continue
                if not is_wanted.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  # raised again in the reader
            failures.append(error)

    maker = threading.Thread(target=make, name="judge", daemon=True)
    maker.start()
    try:
        while True:
            try:
                yield items.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if not maker.is_alive() and items.empty():
                    break
        if failures:
            raise failures[0]
    finally:
        is_wanted.clear()
        maker.join()
