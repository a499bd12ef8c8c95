"""Whether the departments' systems let us in: each connection is tried, and nothing is fetched."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from threegaps import connections
from threegaps.contracts.model import Contract
from threegaps.errors import ThreeGapsError, UnexpectedError
from threegaps.sources.database import open_table
from threegaps.sources.file_drop import open_drop
from threegaps.sources.gateway_client import open_client
from threegaps.sources.retry import Retry
from threegaps.sources.sftp import open_sftp
from threegaps.sources.trouble import NO_ANSWER, address_of, unreachable

ONE_TRY = Retry(attempts=1)
_SECONDS_TO_BEGIN = 60.0
"""How long it may take until a system is asked: what is looked up before is ours, and a busy machine is slow."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What became of a connection that was tried.

    Args:
        feeds: The feeds that come over it.
        host: Whose system was asked; None where there is none, as of a drop folder.
        error: Why it does not let us in; None where it does, or could not be tried.
        is_tried: Whether it was tried: a machine that is too busy for it says nothing of the department's system.
    """

    connection_id: str
    feeds: tuple[str, ...]
    host: str | None
    port: int | None
    error: ThreeGapsError | None
    is_tried: bool = True

    @property
    def lets_us_in(self) -> bool:
        """Whether it was tried, and does."""
        return self.is_tried and self.error is None


@dataclass(slots=True)
class _Try:
    """One connection while it is tried: its time counts from where its system is asked."""

    connection_id: str
    contract: Contract
    has_begun: threading.Event = field(default_factory=threading.Event)
    has_ended: threading.Event = field(default_factory=threading.Event)
    began: float = 0.0
    error: ThreeGapsError | None = None

    def run(self) -> None:
        try:
            connections.get(self.connection_id)
            self._begin()
            knock(self.contract)
        except ThreeGapsError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  # whatever it is, its words are not repeated
            self.error = UnexpectedError.of(error, connection_id=self.connection_id)
        self.has_ended.set()
        self._begin()

    def _begin(self) -> None:
        if not self.has_begun.is_set():
            self.began = time.monotonic()
            self.has_begun.set()


def probe_all(
    contracts: Iterable[Contract], *, seconds: float, seconds_to_begin: float = _SECONDS_TO_BEGIN
) -> list[Probe]:
    """Try every connection that the contracts name, side by side; in order of their ids.

    Args:
        contracts: The feeds.
        seconds: How long each system may take, from where it is asked.
        seconds_to_begin: How long it may take until all are asked.
    """
    feeds: dict[str, list[Contract]] = {}
    for contract in contracts:
        feeds.setdefault(contract.connection_id, []).append(contract)
    _import_what_asks({contract.protocol for (contract, *_) in feeds.values()})
    tries = {connection_id: _Try(connection_id, of_it[0]) for connection_id, of_it in feeds.items()}
    for one in tries.values():
        # A system that keeps us waiting must not keep the process from its end.
        threading.Thread(target=one.run, daemon=True).start()
    last_begin = time.monotonic() + seconds_to_begin
    return [
        _probe(tries[connection_id], of_it, last_begin=last_begin, seconds=seconds)
        for connection_id, of_it in sorted(feeds.items())
    ]


def knock(contract: Contract, retry: Retry = ONE_TRY) -> None:
    """Ask the department's system to let us in, and for nothing.

    Args:
        retry: How often a gateway is asked that has trouble; others are asked once.

    Raises:
        ThreeGapsError: It does not, or cannot be reached.
    """
    _KNOCKS[contract.protocol](contract, retry)


def _probe(one: _Try, feeds: Sequence[Contract], *, last_begin: float, seconds: float) -> Probe:
    names = tuple(contract.feed for contract in feeds)
    if not one.has_begun.wait(max(0.0, last_begin - time.monotonic())):
        return Probe(one.connection_id, names, None, None, None, is_tried=False)
    has_ended = one.has_ended.wait(max(0.0, one.began + seconds - time.monotonic()))
    error = one.error if has_ended else unreachable(one.contract, NO_ANSWER)
    return Probe(one.connection_id, names, *address_of(one.contract), error)


def _import_what_asks(protocols: Collection[str]) -> None:
    """Import what is only imported when it is used: seconds of our own, which are no silence of a department."""
    if not protocols:
        return
    importlib.import_module("airflow.sdk")
    if "sftp" in protocols:
        importlib.import_module("airflow.providers.sftp.hooks.sftp")


def _knock_at_gateway(contract: Contract, retry: Retry) -> None:
    with open_client(contract, retry) as client:
        client.knock()


def _knock_at_database(contract: Contract, _: Retry) -> None:
    with open_table(contract):
        pass  # a session is all that is wanted


def _knock_at_sftp(contract: Contract, _: Retry) -> None:
    with open_sftp(contract):
        pass


def _knock_at_drop(contract: Contract, _: Retry) -> None:
    with open_drop(contract) as drop:
        drop.knock()


_KNOCKS: Mapping[str, Callable[[Contract, Retry], None]] = {
    "http": _knock_at_gateway,
    "database": _knock_at_database,
    "sftp": _knock_at_sftp,
    "file_drop": _knock_at_drop,
}
