"""Whether the departments' systems let us in: each connection is tried, and nothing is fetched."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Probe:
    """What became of a connection that was tried.

    Args:
        feeds: The feeds that come over it.
        host: Whose system was asked; None where there is none, as of a drop folder.
        error: Why it does not let us in; None where it does.
    """

    connection_id: str
    feeds: tuple[str, ...]
    host: str | None
    port: int | None
    error: ThreeGapsError | None


def probe_all(contracts: Iterable[Contract], *, seconds: float) -> list[Probe]:
    """Try every connection that the contracts name, side by side, each for *seconds* at most; in order of their ids."""
    feeds: dict[str, list[Contract]] = {}
    for contract in contracts:
        feeds.setdefault(contract.connection_id, []).append(contract)
    found: dict[str, ThreeGapsError | None] = {}
    # A system that keeps us waiting must not keep the process from its end.
    threads = {
        connection_id: threading.Thread(target=_try, args=(connection_id, of_it[0], found), daemon=True)
        for connection_id, of_it in feeds.items()
    }
    for thread in threads.values():
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    done = dict(found)
    return [
        Probe(
            connection_id,
            tuple(contract.feed for contract in of_it),
            *address_of(of_it[0]),
            done[connection_id] if connection_id in done else unreachable(of_it[0], NO_ANSWER),
        )
        for connection_id, of_it in sorted(feeds.items())
    ]


def _try(connection_id: str, contract: Contract, found: dict[str, ThreeGapsError | None]) -> None:
    try:
        connections.get(connection_id)
        _KNOCKS[contract.protocol](contract)
    except ThreeGapsError as error:
        found[connection_id] = error
    except Exception as error:  # noqa: BLE001  # whatever it is, its words are not repeated
        found[connection_id] = UnexpectedError.of(error, file=f"connection {connection_id}")
    else:
        found[connection_id] = None


def _knock_at_gateway(contract: Contract) -> None:
    with open_client(contract, ONE_TRY) as client:
        client.knock()


def _knock_at_database(contract: Contract) -> None:
    with open_table(contract):
        pass  # a session is all that is wanted


def _knock_at_sftp(contract: Contract) -> None:
    with open_sftp(contract):
        pass


def _knock_at_drop(contract: Contract) -> None:
    with open_drop(contract) as drop:
        drop.knock()


_KNOCKS: Mapping[str, Callable[[Contract], None]] = {
    "http": _knock_at_gateway,
    "database": _knock_at_database,
    "sftp": _knock_at_sftp,
    "file_drop": _knock_at_drop,
}
