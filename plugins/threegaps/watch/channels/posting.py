"""A POST of JSON over HTTPS, with limits on how long its answer may take and how large it may be."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from threegaps.watch.channels.conversation import CONVERSATION_SECONDS, connected, is_host, is_loopback, verified
from threegaps.watch.message import ChannelError, Concerns

LARGEST_ANSWER_BYTES = 65_536
"""A robot's answer has some hundred bytes. More is the page of somebody else, and is not read."""
LONGEST_PAUSE_SECONDS = 3_600
"""The longest pause that a ``Retry-After`` is followed for."""
# RFC 9110: time-out, 425 too early, 429 too many requests; whatever is 5xx is the server's own trouble.
_PASSING = frozenset({408, 425, 429})
# Its content, form or size is refused.
_OF_CONTENT = frozenset({400, 409, 413, 415, 422})
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post to.

    Args:
        url: ``https://…``; ``http://…`` only to this machine. It may hold a token, and is never shown.
        ca_file: Certificates of the authorities to accept instead of the system's.
    """

    url: str
    ca_file: Path | None = None

    @property
    def place(self) -> str:
        """Host and port, which may be shown."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def problem_of(url: str) -> str | None:
    """Why nothing may be posted to *url*; None where nothing is wrong with it."""
    try:
        parts = urlsplit(url)
        has_host = is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return "it is no address"
    if not has_host or not url.isascii() or any(character <= " " for character in url):
        return "it is no address"
    if parts.scheme not in {"http", "https"}:
        return "it does not begin with https://"
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return "it is not encrypted (https); http is for this machine only"
    if parts.username or parts.password:
        return "it names a user or a password"
    return None


def post_json(
    target: Target,
    body: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = CONVERSATION_SECONDS,
    reads_answer: bool = True,
) -> bytes:
    """Post *body*; the answer, or nothing where it is not asked for.

    Raises:
        ChannelError: The server cannot be reached, does not answer in time, or answers anything but 2xx. An answer of
            4xx and a redirection are final, but for those that say "later".
    """
    wrong = problem_of(target.url)
    if wrong is not None:
        raise ChannelError(f"The address cannot be used: {wrong}.", is_final=True, concerns="channel")
    parts = urlsplit(target.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    tls = verified(target.ca_file) if parts.scheme == "https" else None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # When the body has gone out and no verdict has come: it may have been taken.
    awaits_verdict = False
    with _unclear_if(lambda: awaits_verdict), connected(host, port, tls=tls, seconds=seconds) as connection:
        client = http.client.HTTPConnection(host, port)
        client.sock = connection
        client.auto_open = 0
        try:
            client.request(
                "POST",
                path,
                body,
                {"Content-Type": "application/json; charset=utf-8", "Connection": "close", **(headers or {})},
            )
            awaits_verdict = True
            response = client.getresponse()
            status, retry_after = response.status, response.headers.get("Retry-After")
            answer = response.read(LARGEST_ANSWER_BYTES + 1) if reads_answer and status < 300 else b""
            # A part of an answer says nothing; `read` with a length does not tell that the rest did not come.
            if answer and response.length and len(answer) <= LARGEST_ANSWER_BYTES:
                raise ChannelError(f"{target.place} broke off in its answer.")
        except http.client.HTTPException:
            raise ChannelError(f"{target.place} does not answer as a web server does.") from None
    if not 200 <= status < 300:
        is_passing = status in _PASSING or status >= 500
        raise ChannelError(
            f"{target.place} answered with HTTP status {status}.",
            _seconds(retry_after),
            is_final=not is_passing,
            concerns=_concerns(status, is_passing=is_passing),
        )
    if len(answer) > LARGEST_ANSWER_BYTES:
        raise ChannelError(
            f"{target.place} answered with more than {LARGEST_ANSWER_BYTES} bytes, which were not read.",
            is_unclear=True,
        )
    return answer


@contextlib.contextmanager
def _unclear_if(awaits_verdict: Callable[[], bool]) -> Iterator[None]:
    """What fails while *awaits_verdict* says so may have been taken."""
    try:
        yield
    except ChannelError as error:
        error.is_unclear = awaits_verdict()
        raise


def _concerns(status: int, *, is_passing: bool) -> Concerns:
    if status in _OF_CONTENT:
        return "message"
    return "either" if is_passing and status != _TOO_MANY else "channel"


def error_code(target: Target, answer: bytes) -> int:
    """The ``errcode`` of a robot's answer.

    Raises:
        ChannelError: There is none. The host is the right one, by its certificate: it may have been taken.
    """
    try:
        read: Any = json.loads(answer)
    except (ValueError, RecursionError):
        read = None
    code = read.get("errcode") if isinstance(read, dict) else None
    if not isinstance(code, int) or isinstance(code, bool):
        raise ChannelError(f"{target.place} gave an answer without an errcode.", is_unclear=True)
    return code


def _seconds(written: str | None) -> float | None:
    """A ``Retry-After`` in seconds; one with a date is not followed."""
    if written is None or not written.strip().isdecimal() or len(written) > 9:
        return None
    return float(min(int(written), LONGEST_PAUSE_SECONDS))
