"""A department's SFTP server, reached through Airflow's own hook.

Only regular files are taken, and none through a link. A server of version 3 need not say what kind of thing a name
stands for; what is not said counts as a file. Names are bytes there: one that is no UTF-8 is passed over and counted.
Where the departments are real (``THREEGAPS_SANDBOX=0``) the connection must have the server's host key.
"""

from __future__ import annotations

import datetime as dt
import errno
import posixpath
import re
import socket
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Any

from threegaps import connections
from threegaps.contracts.model import Contract
from threegaps.contracts.options.sources import SftpSource
from threegaps.errors import ContractError, FeedError, SettingsError
from threegaps.landing.backends import CHUNK_BYTES
from threegaps.settings import Settings
from threegaps.sources.files import within
from threegaps.sources.folders import UNREADABLE, FolderSource, Stray
from threegaps.sources.names import is_plain
from threegaps.sources.quiet import FoundFile
from threegaps.sources.trouble import (
    NOT_ITS_PROTOCOL,
    address_of,
    reason_of,
    refused_login,
    silence,
    unreachable,
    untrusted,
)

_TIME_OUT_SECONDS = 60.0
_BANNER_SECONDS = 30.0
# So much is under way at once; a whole file would be held in memory.
_AHEAD_BYTES = 4 << 20
_REQUEST_BYTES = 32_768

# The first letters of `ls -l`, which most servers send beside a name; whatever else is written there says nothing.
_LISTED = re.compile(r"([dlbcps-])[-rwxsStT]{9}")
_KINDS = {"d": "folders", "l": "links", "b": "devices", "c": "devices", "p": "pipes", "s": "sockets"}


class SftpFolder(FolderSource):
    """The folders of one feed; see `open_sftp`."""

    def __init__(self, contract: Contract, client: Any) -> None:
        if not isinstance(contract.source, SftpSource):
            raise ContractError("The feed does not come by SFTP.", feed=contract.feed)
        super().__init__(contract, contract.source.folder)
        self._client = client

    def _in_our_words(self) -> AbstractContextManager[None]:
        return _in_our_words(self._contract)

    def _entries(self, folder: str) -> Generator[FoundFile | Stray | None, None, None]:
        with closing(_entries(self._client, folder)) as entries:
            for raw, attributes in entries:
                kind, name = _kind_of(attributes), _text_of(raw)
                if kind is not None:
                    yield Stray(kind)
                else:
                    yield UNREADABLE if name is None else self._found(folder, name, attributes)

    def _is_there(self, folder: str) -> bool:
        try:
            self._client.stat(folder)
        except FileNotFoundError:
            return False
        return True

    def _without_folder(self, folder: str) -> FeedError:
        host, port = address_of(self._contract)
        return FeedError(
            f"The server has no folder {folder}.",
            feed=self._contract.feed,
            message_zh=f"服务器上没有文件夹 {folder}。",
            cause="not_there",
            host=host,
            port=port,
            advice="ask the department where its files lie now, then mend the contract.",
        )

    def _found(self, folder: str, name: str, attributes: Any) -> FoundFile:
        path, size, time = posixpath.join(folder, name), int(attributes.st_size or 0), int(attributes.st_mtime or 0)
        return FoundFile(
            name=name,
            size_bytes=size,
            modified_at=dt.datetime.fromtimestamp(time, dt.UTC),
            chunks=self._chunks(path, name, (size, time)),
        )

    def _chunks(self, path: str, name: str, seen: tuple[int, int]) -> Callable[[], Iterable[bytes]]:
        def read() -> Iterator[bytes]:
            with _in_our_words(self._contract, name):
                self._refuse_link(path, name)
                with self._client.open(path, "rb") as file:
                    self._refuse_change(file.stat(), seen, name)
                    yield from within(self._contract, name, _pieces(file, seen[0]))
                    self._refuse_change(file.stat(), seen, name)

        return read

    def _refuse_link(self, path: str, name: str) -> None:
        """Refuse what is no regular file by now; where its kind is not said, what is behind a link is another thing."""
        itself = self._client.lstat(path)
        kind = _kind_of(itself)
        if kind is None and not stat.S_IFMT(itself.st_mode or 0):
            behind = self._client.stat(path)
            is_link = (itself.st_size, itself.st_mtime) != (behind.st_size, behind.st_mtime)
            with suppress(OSError):
                is_link = is_link or self._client.readlink(path) is not None
            kind = "links" if is_link else None
        if kind is not None:
            raise FeedError(
                f"The file is none any more: {kind} are not followed.",
                feed=self._contract.feed,
                file=name,
                advice="ask the department to put the file itself there.",
            )

    def _refuse_change(self, status: Any, seen: tuple[int, int], name: str) -> None:
        # A server that does not say one of them leaves the other to judge by.
        now = (int(status.st_size or 0), int(status.st_mtime or 0))
        if now != seen:
            raise self._changed(name)


@contextmanager
def open_sftp(contract: Contract) -> Iterator[SftpFolder]:
    """The server of *contract*'s connection.

    Raises:
        SettingsError: The connection cannot be used as it is.
        FeedError: The key or password is not accepted, or the server does not show the host key agreed on.
        SourceUnavailableError: The server does not answer.
    """
    from airflow.exceptions import AirflowException
    from airflow.providers.sftp.hooks.sftp import SFTPHook

    silence("paramiko")
    _refuse_blind_trust(contract)
    try:
        # One attempt: a key that is refused is not offered again and again, and the task itself is retried.
        hook = SFTPHook(ssh_conn_id=contract.connection_id, conn_retry_attempts=1, banner_timeout=_BANNER_SECONDS)
    except (AirflowException, ValueError, OSError) as error:
        raise SettingsError(
            f"The connection {contract.connection_id!r} cannot be used ({type(error).__name__}).",
            advice="check its host and its extras: `key_file` or `private_key`, `host_key` (type and key).",
        ) from None
    with _in_our_words(contract), hook.get_managed_conn() as client:
        channel = client.get_channel()
        channel.settimeout(_TIME_OUT_SECONDS)
        try:
            yield SftpFolder(contract, client)
        finally:
            # The hook closes the file channel only; the session below it would stay on the department's server.
            channel.get_transport().close()


def _refuse_blind_trust(contract: Contract) -> None:
    """Refuse a connection that would take any server for the department's, where there is one to protect."""
    if Settings.load().is_sandbox:
        return
    extra = connections.get(contract.connection_id).extra
    blind = [
        name
        for name in ("no_host_key_check", "ignore_hostkey_verification", "allow_host_key_change")
        if str(extra.get(name, "")).lower() == "true"
    ]
    if blind:
        raise SettingsError(
            f"The connection {contract.connection_id!r} would take any server for the department's"
            f" ({', '.join(blind)}).",
            advice="take that out, and give it the server's `host_key`.",
        )


def _entries(client: Any, folder: str) -> Generator[tuple[bytes, Any], None, None]:
    """Names and attributes in a folder; paramiko's own listing fails on a name that is no UTF-8."""
    from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_READDIR, SFTPError
    from paramiko.sftp_attr import SFTPAttributes

    attributes_of: Any = SFTPAttributes
    kind, message = client._request(CMD_OPENDIR, client._adjust_cwd(folder))
    if kind != CMD_HANDLE:
        raise SFTPError("no handle")
    handle = message.get_binary()
    try:
        while True:
            try:
                kind, message = client._request(CMD_READDIR, handle)
            except EOFError:
                return
            if kind != CMD_NAME:
                raise SFTPError("no names")
            for _ in range(message.get_int()):
                name, listed = message.get_binary(), message.get_binary().decode("ascii", errors="replace")
                attributes = attributes_of._from_msg(message, None, listed)
                if name not in {b".", b".."}:
                    yield name, attributes
    finally:
        client._request(CMD_CLOSE, handle)


def _pieces(file: Any, size: int) -> Iterator[bytes]:
    """The file's bytes, a few megabytes under way at a time."""
    at = 0
    while at < size:
        end = min(at + _AHEAD_BYTES, size)
        wanted = [(start, min(CHUNK_BYTES, end - start)) for start in range(at, end, CHUNK_BYTES)]
        yield from file.readv(wanted, _AHEAD_BYTES // _REQUEST_BYTES)
        at = end


def _kind_of(attributes: Any) -> str | None:
    """What a name stands for where it is no file; None for a file, and where nothing says what it is."""
    mode = stat.S_IFMT(attributes.st_mode or 0)
    if mode:
        if stat.S_ISREG(mode):
            return None
        letter = stat.filemode(mode)[0]
        return _KINDS.get(letter, "other things")
    listed = _LISTED.match(getattr(attributes, "longname", None) or "")
    return _KINDS.get(listed[1]) if listed else None


def _text_of(raw: bytes) -> str | None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if is_plain(text) else None


@contextmanager
def _in_our_words(contract: Contract, name: str | None = None) -> Iterator[None]:
    """Say trouble of the connection in words that name the feed; errors of landing's own disk pass."""
    import paramiko

    try:
        yield
    except paramiko.BadHostKeyException:
        raise untrusted(
            contract,
            "its host key is not the one of the connection",
            "其主机密钥与连接中的不符",
            "do not go on before the department has said, by another way, that its key changed; then renew the"
            f" `host_key` of the connection {contract.connection_id!r}.",
        ) from None
    except paramiko.AuthenticationException:
        raise refused_login(contract, "the key or the password is not accepted", "密钥或口令不被接受") from None
    except (paramiko.SSHException, EOFError, TimeoutError, ConnectionError, socket.gaierror) as error:
        if "not found in known_hosts" in str(error):
            raise untrusted(
                contract,
                "its host key is not known here",
                "其主机密钥在此未登记",
                "ask the department for its host key (ssh-keyscan shows what to compare), and give it to the connection"
                f" {contract.connection_id!r} as `host_key`.",
            ) from None
        raise unreachable(contract, reason_of(error)) from None
    except paramiko.SFTPError:
        raise unreachable(contract, NOT_ITS_PROTOCOL) from None
    except OSError as error:
        if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
            raise unreachable(contract, reason_of(error)) from None
        host, port = address_of(contract)
        raise FeedError(
            f"The server does not give it out ({type(error).__name__}, {error.errno}).",
            feed=contract.feed,
            file=name,
            connection_id=None if name else contract.connection_id,
            advice="ask the department whether our account may read folder and file.",
            message_zh="服务器不给出该文件夹或文件。",
            cause="login_refused" if error.errno in {errno.EACCES, errno.EPERM} else None,
            host=host,
            port=port,
        ) from None
