"""Mail by SMTP: verified TLS, one thread for an incident, plain text."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Literal

from threegaps.settings import SHANGHAI
from threegaps.watch.channels.conversation import CONVERSATION_SECONDS, connected, is_loopback, verified
from threegaps.watch.message import ChannelError, Message, Taken

Security = Literal["tls", "starttls", "none"]
_FOR_GOOD = 500
_LOGIN_LACKS = 530
_RELAYING = re.compile(rb"\b5\.7\.1\b|\brelay", re.IGNORECASE)
_LINE_BYTES = 900
"""RFC 5322 §2.1.1 allows 998 a line; Base64 has its own lines, and this keeps subjects short."""


def _now() -> dt.datetime:
    return dt.datetime.now(SHANGHAI)


@dataclass(frozen=True, slots=True)
class Mail:
    """Sends mail to all recipients at once.

    Args:
        security: ``tls`` from the start (port 465), ``starttls`` (587, 25), ``none`` to this machine only.
        user: Login; None where the server asks for none.
        ca_file: Certificates of the authorities to accept instead of the system's.
        but_not: Recipients who have a message already, or get it later.
    """

    name: str
    host: str
    port: int
    security: Security
    sender: str
    recipients: tuple[str, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    seconds: float = CONVERSATION_SECONDS
    clock: Callable[[], dt.datetime] = field(default=_now, repr=False)
    but_not: frozenset[str] = frozenset()

    @property
    def to(self) -> list[str]:
        """To whom it goes."""
        return [one for one in self.recipients if one not in self.but_not]

    def only(self, recipients: Collection[str]) -> Mail:
        """The same channel to these of its recipients; the mail names all."""
        return replace(self, but_not=frozenset(self.recipients) - frozenset(recipients))

    def send(self, message: Message) -> Taken:
        """Send *message*; see `Channel.send`. It counts as taken when one recipient or more has been accepted."""
        if self.security == "none" and not is_loopback(self.host):
            raise ChannelError("Mail goes out without TLS to this machine only.", is_final=True, concerns="channel")
        place = f"{self.host}:{self.port}"
        tls = None if self.security == "none" else verified(self.ca_file)
        conversation: list[_Conversation] = []
        try:
            refused = self._send(message, place, tls, conversation)
        except ChannelError as error:
            error.is_unclear = any(one.awaits_verdict for one in conversation)
            raise
        unrelayed = [one for one, answer in refused.items() if _is_of_channel(*answer)]
        later = [one for one, (code, _) in refused.items() if code < _FOR_GOOD and one not in unrelayed]
        never = [one for one in refused if one not in later and one not in unrelayed]
        remarks = []
        if never:
            remarks.append(
                f"{place} refused {len(never)} of {len(self.to)} recipients with code {_codes(refused, never)}."
            )
        if later:
            remarks.append(
                f"{place} put {len(later)} of {len(self.to)} recipients off with code {_codes(refused, later)}:"
                " they get it later."
            )
        if unrelayed:
            remarks.append(
                f"{place} relays nothing to {len(unrelayed)} of {len(self.to)} recipients, code"
                f" {_codes(refused, unrelayed)}: mend the channel; they get it later."
            )
        return Taken((*later, *unrelayed), " ".join(remarks))

    def _send(
        self, message: Message, place: str, tls: ssl.SSLContext | None, conversation: list[_Conversation]
    ) -> dict[str, tuple[int, bytes]]:
        """Send *message*; the recipients that were refused."""
        with (
            connected(
                self.host, self.port, tls=tls if self.security == "tls" else None, seconds=self.seconds
            ) as connection,
            _in_our_words(place, is_to_some=bool(self.but_not)),
            _Conversation(connection, self.host) as server,
        ):
            conversation.append(server)
            if self.security == "starttls":
                server.starttls(context=tls)
            if self.user is not None:
                server.login(self.user, self.password or "")
            refused = server.send_message(self.written(message), self.sender, self.to)
            server.is_taken = True
        return refused

    def written(self, message: Message) -> EmailMessage:
        """*message* as mail."""
        mail = EmailMessage()
        mail["From"] = self.sender
        mail["To"] = ", ".join(self.recipients)
        mail["Subject"] = _one_line(message.subject)
        mail["Date"] = format_datetime(self.clock())
        mail["Message-ID"] = f"<{message.message_id}>"
        if message.reply_to is not None:
            mail["In-Reply-To"] = f"<{message.reply_to}>"
            mail["References"] = f"<{message.reply_to}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers it
        if message.gravity == "critical":
            mail["Importance"] = "high"
        mail.set_content(message.text, charset="utf-8", cte="base64")
        return mail


@contextlib.contextmanager
def _in_our_words(place: str, *, is_to_some: bool) -> Iterator[None]:
    """What SMTP refuses, with its code and without its text.

    Args:
        is_to_some: It goes to some of the channel's recipients only: that they refuse it says nothing of the others.
    """
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        is_of_some = is_to_some and not any(_is_of_channel(*answer) for answer in error.recipients.values())
        raise ChannelError(
            f"{place} refused all recipients with code {', '.join(map(str, codes))}.",
            is_final=all(code >= _FOR_GOOD for code in codes),
            concerns="message" if is_of_some else "channel",
        ) from None
    except smtplib.SMTPDataError as error:
        # Sender, recipients and login were accepted: what is refused for good is the text.
        is_final = error.smtp_code >= _FOR_GOOD
        raise ChannelError(
            f"{place} refused the text with code {error.smtp_code}.",
            is_final=is_final,
            concerns="message" if is_final else "either",
        ) from None
    except smtplib.SMTPResponseException as error:
        what = "the login" if isinstance(error, smtplib.SMTPAuthenticationError) else "it"
        # The sender is refused for a text's length, too.
        raise ChannelError(
            f"{place} refused {what} with code {error.smtp_code}.",
            is_final=error.smtp_code >= _FOR_GOOD,
            concerns="either" if isinstance(error, smtplib.SMTPSenderRefused) else "channel",
        ) from None
    except smtplib.SMTPServerDisconnected:
        raise ChannelError(f"{place} broke off, or fell silent.") from None
    except smtplib.SMTPException:
        raise ChannelError(
            f"{place} offers no STARTTLS, or no login that both sides know.", is_final=True, concerns="channel"
        ) from None


class _Conversation(smtplib.SMTP):
    """SMTP over a connection that is there already."""

    def __init__(self, connection: socket.socket, host: str) -> None:
        self._connection = connection
        self.is_taken = False
        self.awaits_verdict = False
        # The own name is not looked up: a name server that hangs would hold everything up.
        super().__init__(host, 0, local_hostname=socket.gethostname() or "localhost")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._connection

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Hand the text over; `awaits_verdict` from its last line until the answer."""
        answer = super().data(msg)
        self.awaits_verdict = False
        return answer

    def send(self, s: Any) -> None:
        """Send *s*; only a text ends with a line that has a point alone."""
        super().send(s)
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n"):
            self.awaits_verdict = True

    def __exit__(self, *raised: object) -> None:
        try:
            super().__exit__(*raised)  # type: ignore[arg-type]  # as the base class has it
        except (OSError, smtplib.SMTPException):
            # Once the message has been taken, a farewell that fails changes nothing.
            if not self.is_taken and raised[0] is None:
                raise


def problem_of_address(written: str) -> str | None:
    """Why *written* is no address to send to or from; None where it is one, without a name before it."""
    try:
        address = Address(addr_spec=written)
    except (ValueError, IndexError):
        return "it is no address of mail"
    if not written.isascii() or not address.domain or not address.username:
        return "it is no address of mail"
    return None


def _is_of_channel(code: int, text: bytes) -> bool:
    """Whether the answer to a recipient says that the server relays nothing for us: of the recipient it says nothing.

    That is status 5.7.1 (RFC 3463, delivery not authorised), a login that lacks, or a word of relaying where a server
    gives no status.
    """
    return code == _LOGIN_LACKS or (code >= _FOR_GOOD and _RELAYING.search(text) is not None)


def _codes(refused: Mapping[str, tuple[int, bytes]], recipients: Collection[str]) -> str:
    return ", ".join(str(code) for code in sorted({refused[one][0] for one in recipients}))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line.encode()[:_LINE_BYTES].decode("utf-8", "ignore")
