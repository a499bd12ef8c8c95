"""Trouble on the way to a department, in words that name feed and connection and never what was received.

Kept apart are what may pass (`TransientError`, tried again; `unreachable`, left to the task's own retries) and what
waiting does not mend: a login, a host or a certificate that is not the one agreed on.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from threegaps import connections
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, SettingsError, SourceUnavailableError


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a system does not do what it is asked.

    Args:
        cause: A code of `threegaps.labels.CAUSES`.
        en: In English, to stand behind a colon, without a full stop.
        zh: In Chinese.
    """

    cause: str
    en: str
    zh: str


REFUSED = Reason("unreachable", "connection refused: nothing listens there", "连接被拒绝,该端口无服务")
NO_NAME = Reason("unreachable", "its host name cannot be resolved", "主机名无法解析")
NO_ROUTE = Reason("unreachable", "no route to its host", "网络不通")
BROKEN = Reason("unreachable", "it closed the connection", "对方断开了连接")
NO_ANSWER = Reason("timed_out", "no answer in time", "在规定时间内没有应答")
NOT_ITS_PROTOCOL = Reason("unreachable", "what answers there does not speak its protocol", "该端口的服务不是约定的协议")

_BY_ERROR: tuple[tuple[type[BaseException], Reason], ...] = (
    (ConnectionRefusedError, REFUSED),
    (socket.gaierror, NO_NAME),
    (TimeoutError, NO_ANSWER),
    (ConnectionError, BROKEN),
    (EOFError, BROKEN),
)
_NO_WAY = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_USUAL_PORTS = {"sftp": 22, "database": 5432}


class TransientError(Exception):
    """Something that may pass: a time-out, a full server, half an answer.

    Args:
        message: What it is, in a sentence.
        message_zh: The same in Chinese; empty where its cause says it.
        cause: A code of `threegaps.labels.CAUSES`.
        retry_after: For how many seconds the server asks to be left alone.
    """

    def __init__(
        self, message: str, message_zh: str = "", *, cause: str = "unreachable", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.message_zh = message_zh
        self.cause = cause
        self.retry_after = retry_after


def silence(library: str) -> None:
    """Let *library* log nothing: it quotes what it received, and we say what its errors come to."""
    logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def reason_of(error: BaseException) -> Reason:
    """Why a connection did not come to be or broke, in our words, by what is behind a library's error."""
    for cause in causes_of(error):
        if isinstance(cause, OSError) and cause.errno in _NO_WAY:
            return NO_ROUTE
        for kind, reason in _BY_ERROR:
            if isinstance(cause, kind):
                return reason
        # paramiko's, of a host with several addresses: the first says as much as any.
        tried = getattr(cause, "errors", None)
        if isinstance(tried, dict) and tried:
            return reason_of(next(iter(tried.values())))
    kind_name = type(error).__name__
    return Reason("unreachable", f"the connection does not come about ({kind_name})", f"连接未能建立({kind_name})")


def address_of(contract: Contract) -> tuple[str | None, int | None]:
    """Host and port of the system behind *contract*'s connection; None where there is none, as of a drop folder."""
    try:
        connection = connections.get(contract.connection_id)
    except SettingsError:
        return None, None
    if contract.protocol == "file_drop" or not connection.host:
        return None, None
    if contract.protocol == "http":
        scheme, _, host = connection.host.rpartition("://")
        written = urlsplit(f"//{host}")
        is_plain = (scheme or connection.schema or "https") == "http"
        try:
            port = connection.port or written.port
        except ValueError:
            port = None
        return written.hostname, port or (80 if is_plain else 443)
    return connection.host, connection.port or _USUAL_PORTS.get(contract.protocol)


def _said(host: str | None, port: int | None, before: str = " ") -> str:
    return "" if host is None else f"{before}{host}:{port}"


def unreachable(contract: Contract, reason: Reason, file: str | None = None) -> SourceUnavailableError:
    """The error for a system that does not answer."""
    host, port = address_of(contract)
    return SourceUnavailableError(
        f"The department's system{_said(host, port, ' at ')} cannot be reached: {reason.en}.",
        feed=contract.feed,
        file=file,
        connection_id=None if file else contract.connection_id,
        advice="look whether it is up and the address of the connection is right; the task can simply be run again.",
        message_zh=f"部门系统{_said(host, port)}无法连接:{reason.zh}。",
        cause=reason.cause,
        host=host,
        port=port,
    )


def refused_login(contract: Contract, reason: str, reason_zh: str) -> FeedError:
    """The error for a login that the system does not take; what it says ends without a full stop."""
    host, port = address_of(contract)
    return FeedError(
        f"The department's system{_said(host, port, ' at ')} does not accept our login: {reason}.",
        feed=contract.feed,
        connection_id=contract.connection_id,
        advice=f"check login and password or key of the connection {contract.connection_id!r}.",
        message_zh=f"部门系统{_said(host, port)}拒绝我方登录:{reason_zh}。",
        cause="login_refused",
        host=host,
        port=port,
    )


def untrusted(contract: Contract, reason: str, reason_zh: str, advice: str) -> FeedError:
    """The error for a system that does not show that it is the department's: nothing was asked of it."""
    host, port = address_of(contract)
    return FeedError(
        f"The department's system{_said(host, port, ' at ')} does not show that it is the one agreed on: {reason}.",
        feed=contract.feed,
        connection_id=contract.connection_id,
        advice=advice,
        message_zh=f"部门系统{_said(host, port)}不能证明是约定的系统:{reason_zh}。",
        cause="not_as_agreed",
        host=host,
        port=port,
    )


def certificate_fault(error: BaseException) -> tuple[str, str] | None:
    """What is wrong with a server's certificate or its TLS, in English and in Chinese; None where that is not it."""
    for cause in causes_of(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted ({cause.verify_message})", "其证书不被接受"
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return f"it does not speak TLS as it must ({cause.reason or 'unknown'})", "其加密方式不符合要求"
    return None


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error itself, and what is behind it, the nearest first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
