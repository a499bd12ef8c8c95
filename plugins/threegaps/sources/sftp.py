"""A department's SFTP server, reached through Airflow's own hook."""

from __future__ import annotations

import datetime as dt
import posixpath
import socket
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.options.sources import SftpSource
from threegaps.errors import ContractError
from threegaps.landing.backends import CHUNK_BYTES
from threegaps.sources.files import FoundFile, offer_parts
from threegaps.sources.model import Offer, filled, refused_login, unreachable

_TIME_OUT_SECONDS = 60.0
_BANNER_SECONDS = 30.0


class SftpFolder:
    """The folders of one feed; see `open_sftp`."""

    def __init__(self, contract: Contract, client: Any) -> None:
        self._contract = contract
        self._client = client
        self._folder = _folder(contract)

    def offer(self, delivery: Delivery) -> Offer:
        """What lies in the delivery's folder; nothing when there is no such folder yet."""
        folder = filled(self._folder, delivery)
        try:
            entries = self._client.listdir_attr(folder)
        except FileNotFoundError:
            return Offer([], waiting_for=f"the folder {folder}")
        return offer_parts(
            self._contract,
            delivery,
            [
                FoundFile(
                    name=entry.filename,
                    size_bytes=int(entry.st_size or 0),
                    modified_at=dt.datetime.fromtimestamp(entry.st_mtime or 0, dt.UTC),
                    chunks=self._chunks(posixpath.join(folder, entry.filename)),
                )
                for entry in entries
                if stat.S_ISREG(entry.st_mode or 0)
            ],
        )

    def _chunks(self, path: str) -> Callable[[], Iterable[bytes]]:
        def read() -> Iterator[bytes]:
            with _told(self._contract), self._client.open(path, "rb") as file:
                file.prefetch()
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk

        return read


@contextmanager
def open_sftp(contract: Contract) -> Iterator[SftpFolder]:
    """The server of *contract*'s connection.

    Raises:
        FeedError: The key or password is not accepted.
        SourceUnavailableError: The server does not answer.
    """
    from airflow.providers.sftp.hooks.sftp import SFTPHook

    # One attempt: a key that is refused is not offered again and again, and the task itself is retried.
    hook = SFTPHook(ssh_conn_id=contract.connection_id, conn_retry_attempts=1, banner_timeout=_BANNER_SECONDS)
    with _told(contract), hook.get_managed_conn() as client:
        channel = client.get_channel()
        channel.settimeout(_TIME_OUT_SECONDS)
        try:
            yield SftpFolder(contract, client)
        finally:
            # The hook closes the file channel only; the session below it would stay on the department's server.
            channel.get_transport().close()


def _folder(contract: Contract) -> str:
    if not isinstance(contract.source, SftpSource):
        raise ContractError("The feed does not come by SFTP.", feed=contract.feed)
    return contract.source.folder


@contextmanager
def _told(contract: Contract) -> Iterator[None]:
    """Tell trouble of the connection in words that name the feed; errors of landing's own disk pass."""
    import paramiko

    try:
        yield
    except paramiko.AuthenticationException as error:
        raise refused_login(contract, "the key or the password is not accepted.") from error
    except (
        paramiko.SSHException,
        paramiko.ssh_exception.NoValidConnectionsError,
        EOFError,
        TimeoutError,
        ConnectionError,
        socket.gaierror,
    ) as error:
        raise unreachable(contract, f"{type(error).__name__}.") from error
