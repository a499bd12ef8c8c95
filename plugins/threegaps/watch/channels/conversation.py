"""A conversation with a server of others: over TLS that is verified, and over before its time is up."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from threegaps.errors import kind_of
from threegaps.watch.message import ChannelError

CONNECT_SECONDS = 10.0
"""Within this time a server has to accept the connection."""
CONVERSATION_SECONDS = 20.0
"""After this the connection is cut, however busily the other side trickles."""

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def is_host(written: str) -> bool:
    """Whether *written* can be a host: an address, or a name that a name server can be asked for."""
    try:
        ipaddress.ip_address(written)
    except ValueError:
        name = written.removesuffix(".")
        return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))
    return True


def is_loopback(host: str) -> bool:
    """Whether *host* can only be this machine: there, and only there, nothing need be encrypted."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def verified(ca_file: Path | None) -> ssl.SSLContext:
    """A context that accepts certificates of the system's authorities, or of those in *ca_file* only.

    Raises:
        ChannelError: The file cannot be read as certificates.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError:  # ssl.SSLError is one
        raise ChannelError(
            "The file of authorities (ca_file) cannot be read as certificates.", concerns="channel"
        ) from None


@contextlib.contextmanager
def connected(
    host: str, port: int, *, tls: ssl.SSLContext | None, seconds: float = CONVERSATION_SECONDS
) -> Iterator[socket.socket]:
    """A connection that is cut after *seconds*, with the time that it takes to be made, whatever step it is at.

    Raises:
        ChannelError: It cannot be made; or, from what the caller does with it, it was cut or broke.
    """
    is_over = threading.Event()
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        try:
            plain = socket.create_connection((host, port), timeout=min(CONNECT_SECONDS, seconds))
        except OSError as error:
            raise ChannelError(f"{host}:{port} cannot be reached: {said(error)}.", concerns="channel") from None
        except (ValueError, OverflowError):  # a name that is none, or a port
            raise ChannelError(
                "The host or the port of the channel is none.", is_final=True, concerns="channel"
            ) from None
        stack.callback(plain.close)
        left = seconds - (time.monotonic() - started)
        if left <= 0:
            # Its name was looked up for so long, or many of its addresses were tried.
            raise ChannelError(f"{host}:{port} cannot be reached: {said(TimeoutError())}.", concerns="channel")
        plain.settimeout(2 * seconds)  # the timer comes first, and says so
        # Shutting down a duplicate ends the connection of both, also while TLS has taken the first over.
        other = stack.enter_context(plain.dup())

        def cut() -> None:
            is_over.set()
            with contextlib.suppress(OSError):
                other.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(left, cut)
        timer.daemon = True
        timer.start()
        stack.callback(timer.cancel)
        try:
            connection = plain if tls is None else tls.wrap_socket(plain, server_hostname=host)
            stack.callback(connection.close)
            yield connection
        except (OSError, ChannelError) as error:
            if is_over.is_set():
                raise ChannelError(f"{host}:{port} had not answered after {seconds:g} seconds.") from None
            if isinstance(error, ChannelError):
                raise
            raise ChannelError(f"{host}:{port} broke off: {said(error)}.") from None
        except ValueError:  # TLS takes not every name that is a host
            raise ChannelError("What is to be sent, or the host's name, cannot be sent so.", is_final=True) from None


def said(error: OSError) -> str:
    """What may be said of an error of the network: in our words, with nothing of an answer's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted (code {error.verify_code})"
    if isinstance(error, ssl.SSLError):
        return "the two sides do not agree on TLS"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "the connection was closed"
    return kind_of(error)
