"""SFTP server with key authentication only, chrooted to HOME/sftp."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from sandbox.servers.faults import Faults

USER = "threegaps"


def ensure_keys(home: Path) -> None:
    """Make the host key and the client key in HOME/keys (private ones 0600) unless they are there."""
    folder = home / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("host_key", "client_key"):
        if (folder / name).exists():
            continue
        key = asyncssh.generate_private_key("ssh-ed25519", comment=f"threegaps-sandbox-{name}")
        (folder / name).touch(mode=0o600)
        key.write_private_key(str(folder / name))
        key.write_public_key(str(folder / f"{name}.pub"))
        (folder / name).chmod(0o600)


class _Server(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return False


def _handler(root: Path, faults: Faults) -> type[asyncssh.SFTPServer]:
    class Department(asyncssh.SFTPServer):
        """Read-only files; what a fault says is late is not there."""

        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
            super().__init__(channel, chroot=str(root).encode())

        def _is_late(self, path: bytes) -> bool:
            text = path.decode("utf-8", "replace")
            return any(part in text for part in faults.late_paths.split(",") if part)

        async def scandir(self, path: bytes):  # type: ignore[no-untyped-def]
            async for name in super().scandir(path):
                filename = name.filename if isinstance(name.filename, bytes) else name.filename.encode()
                if not self._is_late(path.rstrip(b"/") + b"/" + filename):
                    yield name

        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            if pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC):
                raise asyncssh.SFTPPermissionDenied("read only")
            self._present(path)
            return super().open(path, pflags, attrs)

        def stat(self, path: bytes) -> object:
            self._present(path)
            return super().stat(path)

        def lstat(self, path: bytes) -> object:
            self._present(path)
            return super().lstat(path)

        def _present(self, path: bytes) -> None:
            if self._is_late(path):
                raise asyncssh.SFTPNoSuchFile("No such file")

        def _refuse(self, *_: object) -> None:
            raise asyncssh.SFTPPermissionDenied("read only")

        open56 = remove = rename = mkdir = rmdir = setstat = lsetstat = symlink = link = posix_rename = _refuse

    return Department


@dataclass(slots=True)
class RunningSftp:
    """An SFTP server that listens on 127.0.0.1:`port`."""

    port: int
    faults: Faults
    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread

    def stop(self) -> None:
        """Stop listening and wait for the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)


def start(home: Path | str, port: int = 0, faults: Faults | None = None, *, host: str = "127.0.0.1") -> RunningSftp:
    """Start the server in a thread; `port` 0 takes a free one. Raises OSError if it cannot listen."""
    folder = Path(home)
    ensure_keys(folder)
    switches = faults or Faults()
    loop = asyncio.new_event_loop()
    ready: list[object] = []
    started = threading.Event()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            _Server,
            host,
            port,
            server_host_keys=[str(folder / "keys" / "host_key")],
            authorized_client_keys=str(folder / "keys" / "client_key.pub"),
            sftp_factory=_handler(folder / "sftp", switches),
        )

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            acceptor = loop.run_until_complete(listen())
        except OSError as error:
            ready.append(error)
            started.set()
            return
        ready.append(acceptor.get_port())
        started.set()
        loop.run_forever()
        acceptor.close()
        loop.run_until_complete(acceptor.wait_closed())
        loop.close()

    thread = threading.Thread(target=work, daemon=True, name="sandbox-sftp")
    thread.start()
    started.wait(15)
    if not ready or isinstance(ready[0], OSError):
        raise ready[0] if ready and isinstance(ready[0], OSError) else OSError("the sandbox SFTP server did not start")
    number = int(str(ready[0]))
    public = (folder / "keys" / "host_key.pub").read_text("ascii").split()
    (folder / "keys" / "known_hosts").write_text(f"[127.0.0.1]:{number} {public[0]} {public[1]}\n", "ascii")
    return RunningSftp(number, switches, loop, thread)
