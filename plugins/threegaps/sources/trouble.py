"""Trouble on the way to a department, in words that name feed and connection and never what was received.

Kept apart are what may pass (`TransientError`, tried again; `unreachable`, left to the task's own retries) and what
waiting does not mend: a login, a host or a certificate that is not the one agreed on.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator

from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, SourceUnavailableError


class TransientError(Exception):
    """Something that may pass: a time-out, a full server, half an answer.

    Args:
        retry_after: For how many seconds the server asks to be left alone.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


def silence(library: str) -> None:
    """Let *library* log nothing: it quotes what it received, and we say what its errors come to."""
    logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def unreachable(contract: Contract, reason: str) -> SourceUnavailableError:
    """The error for a system that does not answer."""
    return SourceUnavailableError(
        f"The department's system cannot be reached: {reason}",
        feed=contract.feed,
        file=f"connection {contract.connection_id}",
        advice="look whether it is up and the address of the connection is right; the task can simply be run again.",
    )


def refused_login(contract: Contract, reason: str) -> FeedError:
    """The error for a login that the system does not take."""
    return FeedError(
        f"The department's system does not accept our login: {reason}",
        feed=contract.feed,
        file=f"connection {contract.connection_id}",
        advice=f"check login and password or key of the connection {contract.connection_id!r}.",
    )


def untrusted(contract: Contract, reason: str, advice: str) -> FeedError:
    """The error for a system that does not show that it is the department's: nothing was asked of it."""
    return FeedError(
        f"The department's system does not show that it is the one agreed on: {reason}",
        feed=contract.feed,
        file=f"connection {contract.connection_id}",
        advice=advice,
    )


def certificate_fault(error: BaseException) -> str | None:
    """What is wrong with a server's certificate or its TLS, where that is behind an error; None where it is not."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted ({cause.verify_message})."
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return f"it does not speak TLS as it must ({cause.reason or 'unknown'})."
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
