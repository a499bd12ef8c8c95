"""Where messages go in tests: an SMTP server and an HTTP server on loopback that keep all that they take, and fail on
demand.

    with mail_receiver() as mail, web_receiver() as web:
        ... channels that send to mail.port and web.url("/hook") ...
        assert [message["Subject"] for message in mail.messages] == [...]
        mail.answers["DATA"] = "451 later"      # fails from now on
        web.hangs = True                        # answers nothing
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email
import email.policy
import http.server
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_LONGEST_HANG_SECONDS = 120.0
_ALERTS = """
version: 1
channels:
  mail:
    {{kind: mail, host: 127.0.0.1, port: {mail}, security: none, sender: a@example.com, recipients: [b@example.com]}}
  hook: {{kind: webhook, url: "{hook}"}}
routes:
  - channels: [mail, hook]
quiet_hours: never
"""


class MailReceiver:
    """An SMTP server that keeps the messages that it takes.

    Attributes:
        messages: What it has taken, in order.
        envelopes: For whom it has taken each.
        puts_off: What it says of single recipients, by address.
        logins: User and password of each login that was tried.
        answers: What it says instead of taking, by command (``CONNECT``, ``EHLO``, ``AUTH``, ``MAIL``, ``RCPT``,
            ``DATA`` before the text, ``TEXT`` after it).
        hangs_at: Command at which it falls silent.
        drops_after_text: It takes the message and closes the connection without a word.
        password: The one that it lets in.
    """

    def __init__(self, certificate: tuple[Path, Path] | None = None, *, is_tls: bool = False) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[list[str]] = []
        self.puts_off: dict[str, str] = {}
        self.logins: list[tuple[str, str]] = []
        self.answers: dict[str, str] = {}
        self.hangs_at: str | None = None
        self.drops_after_text = False
        self.password = "let-me-in"
        self.connections = 0
        self._ended = threading.Event()
        self._context = _server_context(certificate)
        self._is_tls = is_tls
        receiver = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError, ConnectionError, EOFError):
                    receiver._converse(self.request)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def subjects(self) -> list[str]:
        """Subjects of what it has taken."""
        return [str(message["Subject"]) for message in self.messages]

    def close(self) -> None:
        """End it, whatever hangs."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _converse(self, plain: socket.socket) -> None:
        self.connections += 1
        connection = plain
        if self._is_tls and self._context is not None:
            connection = self._context.wrap_socket(plain, server_side=True)
        if not self._say(connection, "CONNECT", "220 receiver"):
            return
        reader = connection.makefile("rb")
        accepted: list[str] = []
        while line := reader.readline():
            written = line.decode("ascii", "replace").strip()
            command = written.split(" ")[0].upper()
            if command in {"EHLO", "HELO"}:
                offers = ["receiver", "AUTH PLAIN LOGIN", "8BITMIME", "SMTPUTF8"]
                if self._context is not None and not self._is_tls and connection is plain:
                    offers.append("STARTTLS")
                lines = [f"250{'-' if offer is not offers[-1] else ' '}{offer}" for offer in offers]
                if not self._say(connection, "EHLO", "\r\n".join(lines)):
                    return
            elif command == "STARTTLS" and self._context is not None:
                connection.sendall(b"220 go on\r\n")
                connection = self._context.wrap_socket(plain, server_side=True)
                reader = connection.makefile("rb")
            elif command == "AUTH":
                if not self._log_in(connection, reader, written):
                    return
            elif command == "DATA":
                if not self._say(connection, "DATA", "354 go on"):
                    return
                if "DATA" in self.answers:
                    continue
                self._take(reader, accepted)
                if self.drops_after_text:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                if not self._say(connection, "TEXT", "250 taken"):
                    return
            elif command == "QUIT":
                connection.sendall(b"221 bye\r\n")
                return
            elif command == "RCPT":
                recipient = written.partition("<")[2].partition(">")[0]
                if not self._say(connection, "RCPT", self.puts_off.get(recipient, "250 fine")):
                    return
                accepted += [] if recipient in self.puts_off else [recipient]
            elif not self._say(connection, command, "250 fine"):
                return

    def _log_in(self, connection: socket.socket, reader: Any, written: str) -> bool:
        parts = written.split(" ")
        if parts[1].upper() == "PLAIN":
            _, user, password = base64.b64decode(parts[2]).decode().split("\0")
        else:
            user = base64.b64decode(parts[2]).decode()
            connection.sendall(b"334 UGFzc3dvcmQ6\r\n")
            password = base64.b64decode(reader.readline()).decode()
        self.logins.append((user, password))
        return self._say(connection, "AUTH", "235 in" if password == self.password else "535 5.7.8 no")

    def _take(self, reader: Any, recipients: list[str]) -> None:
        lines = []
        while (line := reader.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b".") else line)
        # What refuses after the text has not taken it.
        if "TEXT" not in self.answers:
            message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
            self.envelopes.append(recipients)

    def _say(self, connection: socket.socket, command: str, usual: str) -> bool:
        if self.hangs_at == command:
            self._ended.wait(_LONGEST_HANG_SECONDS)
            return False
        connection.sendall((self.answers.get(command, usual) + "\r\n").encode())
        return True


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def data(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the HTTP receiver says."""

    status: int = 200
    body: bytes = b'{"errcode": 0, "errmsg": "ok"}'
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def code(cls, errcode: int, errmsg: str = "as asked") -> Answer:
        """HTTP 200 with an error in the body, as DingTalk and WeCom say it."""
        return cls(body=json.dumps({"errcode": errcode, "errmsg": errmsg}).encode())


class WebReceiver:
    """An HTTP server that keeps the requests that it gets.

    Attributes:
        requests: All of them, in order, refused ones too.
        taken: Those that were answered without an error of HTTP or errcode.
        answer: What it says to each; a function of the request, or the same for all.
        hangs: It reads the request and says nothing.
        drips: It answers one byte at a time, for ever.
    """

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.requests: list[Received] = []
        self.taken: list[Received] = []
        self.answer: Answer | Callable[[Received], Answer] = Answer()
        self.hangs = False
        self.drips = False
        self._ended = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._answer(self, Received(parts.path, query, headers, body))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        context = _server_context(certificate)
        self._scheme = "http" if context is None else "https"
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str = "/") -> str:
        """Its address."""
        return f"{self._scheme}://127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        """End it, whatever hangs."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: http.server.BaseHTTPRequestHandler, received: Received) -> None:
        self.requests.append(received)
        if self.hangs:
            self._ended.wait(_LONGEST_HANG_SECONDS)
            return
        if self.drips:
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            with contextlib.suppress(OSError):
                while not self._ended.wait(0.1):
                    handler.wfile.write(b" ")
                    handler.wfile.flush()
            return
        answer = self.answer(received) if callable(self.answer) else self.answer
        if answer.status < 300 and json.loads(answer.body or b"{}").get("errcode", 0) == 0:
            self.taken.append(received)
        with contextlib.suppress(OSError):
            handler.send_response(answer.status)
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            handler.wfile.write(answer.body)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust the certificate goes away: nothing to report."""


def _server_context(certificate: tuple[Path, Path] | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def alerts_by(mail: MailReceiver, web: WebReceiver) -> str:
    """An alerts.yaml by which both are told of everything, at once."""
    return _ALERTS.format(mail=mail.port, hook=web.url("/hook"))


@contextlib.contextmanager
def mail_receiver(certificate: tuple[Path, Path] | None = None, *, is_tls: bool = False) -> Iterator[MailReceiver]:
    """A mail server for the time of a `with`; with a certificate it offers STARTTLS, or speaks TLS from the start."""
    receiver = MailReceiver(certificate, is_tls=is_tls)
    try:
        yield receiver
    finally:
        receiver.close()


@contextlib.contextmanager
def web_receiver(certificate: tuple[Path, Path] | None = None) -> Iterator[WebReceiver]:
    """An HTTP server for the time of a `with`; with a certificate it speaks HTTPS."""
    receiver = WebReceiver(certificate)
    try:
        yield receiver
    finally:
        receiver.close()


def make_certificate(folder: Path, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """A certificate for *host* that vouches for itself, and its key; the first is also what a client has to trust."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    try:
        known: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        known = x509.DNSName(host)
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([known]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_path, key_path
