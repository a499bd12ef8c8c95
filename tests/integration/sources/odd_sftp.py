"""An SFTP server as odd as a test wants it: names of any bytes, attributes without a kind, times of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

PASSWORD = "password-in-tests"


@dataclass
class OddServer:
    """What the server shows.

    Args:
        root: Its files.
        change: Changes the attributes of each name before they are sent.
        names: More names in every folder, for files that are not there.
    """

    root: Path
    change: Callable[[bytes, asyncssh.SFTPAttrs], None] | None = None
    long_names: bool = False
    names: list[bytes] = field(default_factory=list)
    port: int = 0
    host_key: str = ""
    logins: int = 0


@contextmanager
def serving(odd: OddServer) -> Iterator[OddServer]:
    """Serve on a free port of the loopback interface; user ``department``, `PASSWORD`."""

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            odd.logins += 1
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return password == PASSWORD

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
            super().__init__(channel, chroot=os.fsencode(odd.root))

        def _changed(self, path: bytes, attributes: Any) -> Any:
            if isinstance(attributes, os.stat_result):
                attributes = asyncssh.SFTPAttrs.from_local(attributes)
            if odd.change is not None:
                odd.change(path.rpartition(b"/")[2], attributes)
            return attributes

        async def scandir(self, path: bytes) -> Any:
            async for name in super().scandir(path):
                raw = name.filename if isinstance(name.filename, bytes) else os.fsencode(name.filename)
                name.attrs = self._changed(raw, name.attrs)
                if not odd.long_names:
                    name.longname = b"?"
                yield name
            for extra in odd.names:
                yield asyncssh.SFTPName(extra, b"?", attrs=asyncssh.SFTPAttrs(size=1, permissions=0o100644, mtime=0))

        def format_longname(self, name: asyncssh.SFTPName) -> None:
            if odd.long_names:
                super().format_longname(name)

        def lstat(self, path: bytes) -> Any:
            return self._changed(path, super().lstat(path))

        def stat(self, path: bytes) -> Any:
            return self._changed(path, super().stat(path))

        def fstat(self, file_obj: Any) -> Any:
            return self._changed(os.fsencode(file_obj.name), super().fstat(file_obj))

    key = asyncssh.generate_private_key("ssh-ed25519")
    odd.host_key = key.export_public_key().decode().strip()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(Server, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=Files)

    def work() -> None:
        asyncio.set_event_loop(loop)
        acceptor = loop.run_until_complete(listen())
        odd.port = acceptor.get_port()
        started.set()
        loop.run_forever()
        acceptor.close()
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    started.wait(10)
    yield odd
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
