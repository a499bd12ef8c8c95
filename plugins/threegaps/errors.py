"""Errors that say where they happened and what to do next.

None of them shows the error of a library that was behind it: its message may quote what was received, and a task's log
prints causes whole.
"""

from __future__ import annotations

import traceback
from typing import Any, ClassVar

# What the server (in English or Chinese), libpq and psycopg write of connections, and what we say of it. The first that
# is found counts: of several addresses, one that answered says more than one that did not.
_OF_CONNECTIONS = (
    ("no pg_hba.conf entry", "it lets nobody in from here (no pg_hba.conf entry)"),
    ("authentication failed", "it refuses the role or its password"),
    ("认证失败", "it refuses the role or its password"),
    ("no password supplied", "it asks for a password, and none is set"),
    ("is not permitted to log in", "the role may not log in"),
    ("permission denied for database", "the role may not use the database"),
    ("does not exist", "there is no such database or role"),
    ("不存在", "there is no such database or role"),
    ("is starting up", "it is starting up"),
    ("is shutting down", "it is shutting down"),
    ("in recovery mode", "it is recovering"),
    ("not yet accepting connections", "it is recovering"),
    ("too many clients", "it has no connection left to give"),
    ("too many connections", "it has no connection left to give"),
    ("connection slots are reserved", "it has no connection left to give"),
    ("another command is already in progress", "another command is already in progress"),
    ("the connection is closed", "the connection is closed"),
    ("the connection is lost", "the connection is lost"),
    ("server closed the connection unexpectedly", "it closed the connection unexpectedly"),
    ("SSL connection has been closed unexpectedly", "it closed the connection unexpectedly"),
    ("SSL SYSCALL error", "it closed the connection unexpectedly"),
    ("Connection reset by peer", "it closed the connection unexpectedly"),
    ("certificate", "TLS: its certificate is not accepted"),
    ("SSL", "TLS: the two sides do not agree on it"),
    ("Connection refused", "connection refused"),
    ("timeout expired", "no answer in time"),
    ("could not translate host name", "its host name cannot be resolved"),
    ("failed to resolve host", "its host name cannot be resolved"),
    ("No route to host", "no route to its host"),
    ("Network is unreachable", "its network is unreachable"),
    ("No such file or directory", "no server listens at its socket"),
)


class ThreeGapsError(Exception):
    """Anything that a user of ThreeGaps can act upon.

    Args:
        message: What is wrong, in one sentence.
        feed: The feed, as ``department/feed``.
        file: The file or part, by its source's name.
        connection_id: The connection, where it lies with that and no file is meant.
        row: The row, counted from 1 at the first data row.
        column: The column, by its canonical name.
        advice: What to do about it.
        sender_advice: What whoever sends the file is to do, where we could only ask them.
        message_zh: The message in Chinese, where it is more than its cause.
        cause: The kind of cause, a code of `threegaps.labels.CAUSES`; by default that of the class.
        host: The system that was asked, where it came up on the way to one.
        port: Its port.
    """

    default_cause: ClassVar[str] = "unexpected"

    def __init__(
        self,
        message: str,
        *,
        feed: str | None = None,
        file: str | None = None,
        connection_id: str | None = None,
        row: int | None = None,
        column: str | None = None,
        advice: str | None = None,
        sender_advice: str | None = None,
        message_zh: str | None = None,
        cause: str | None = None,
        host: str | None = None,
        port: int | None = None,
    ) -> None:
        self.message = message
        self.feed = feed
        self.file = file
        self.connection_id = connection_id
        self.row = row
        self.column = column
        self.advice = advice
        self.sender_advice = sender_advice
        self.message_zh = message_zh
        self.cause = cause or self.default_cause
        self.host = host
        self.port = port
        super().__init__(str(self))
        # As if every one were raised `from None`: one that is raised in a function called by a handler is not.
        self.__suppress_context__ = True

    @property
    def where(self) -> str:
        """Where it happened: the parts that are known, from feed to column."""
        named = (
            ("feed", self.feed),
            ("file", self.file),
            ("connection", self.connection_id),
            ("row", self.row),
            ("column", self.column),
        )
        return ", ".join(f"{name} {value}" for name, value in named if value is not None)

    def __str__(self) -> str:
        where = f"[{self.where}] " if self.where else ""
        advice = f" What to do: {self.advice}" if self.advice else ""
        return f"{where}{self.message}{advice}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments: the default way would lose them between processes.
        return (_rebuild, (type(self), self.message, {name: getattr(self, name) for name in _KEYWORDS}))


_KEYWORDS = (
    "feed",
    "file",
    "connection_id",
    "row",
    "column",
    "advice",
    "sender_advice",
    "message_zh",
    "cause",
    "host",
    "port",
)


def _rebuild(kind: type[ThreeGapsError], message: str, named: dict[str, Any]) -> ThreeGapsError:
    return kind(message, **named)


def kind_of(error: BaseException) -> str:
    """What may be said of an error that is not ours: what it is and where it came up, and nothing of its message."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(error, "sqlstate", None)
    kind = type(error).__name__ if code is None else f"{type(error).__name__}, SQLSTATE {code}"
    return f"{kind} at line {frames[-1].lineno} of {frames[-1].name}" if frames else kind


def of_warehouse(error: BaseException) -> str:
    """What may be said of an error of the warehouse's driver: the server quotes rows and names in what it says.

    What it says in a session has a code. What has none is of the connection, and may hold the server's own words, too:
    it is recognised and said in ours.
    """
    if getattr(error, "sqlstate", None) is None:
        written = str(error)
        return next((said for sign, said in _OF_CONNECTIONS if sign in written), kind_of(error))
    return kind_of(error)


def is_warehouse_down(error: BaseException) -> bool:
    """Whether an error of the warehouse's driver says that there is no session to be had, or no room on its disk."""
    code = getattr(error, "sqlstate", None)
    if code is None:
        return type(error).__name__ in {"OperationalError", "ConnectionTimeout"}
    return str(code)[:2] in {"08", "53"} or str(code).startswith("57P")


class SettingsError(ThreeGapsError):
    """A setting is missing or makes no sense."""

    default_cause = "misconfigured"


class ServiceError(ThreeGapsError):
    """A service of our own (PostgreSQL, Airflow, sandbox) does not start, answer or stop."""


class ContractError(ThreeGapsError):
    """A feed's contract is not valid."""

    default_cause = "misconfigured"


class FeedError(ThreeGapsError):
    """What a department sent, or failed to send, cannot be used."""

    default_cause = "not_as_contracted"


class SourceUnavailableError(FeedError):
    """The department's system cannot be reached now; trying again later may help."""

    default_cause = "unreachable"


class StillBeingWrittenError(SourceUnavailableError):
    """A file is there and somebody may still be writing it; it is looked at again in some minutes."""

    default_cause = "being_written"


class CertificationError(ThreeGapsError):
    """Great Expectations and the column rules disagree, or Great Expectations itself failed."""


class LedgerError(ThreeGapsError):
    """The ledger is at a schema version that this code does not know, or refuses a step."""

    default_cause = "misconfigured"


class AccessError(ThreeGapsError):
    """A reader's login cannot be made, changed or removed as asked."""


class BuildError(ThreeGapsError):
    """A build of the marts failed; the last release goes on serving."""


class ReleaseError(ThreeGapsError):
    """A release was refused by its checks or cannot be undone as asked."""


class UnexpectedError(ThreeGapsError):
    """An error of a library that nobody foresaw, in place of its own words."""

    @classmethod
    def of(
        cls,
        error: BaseException,
        *,
        feed: str | None = None,
        file: str | None = None,
        connection_id: str | None = None,
    ) -> UnexpectedError:
        """The error that stands for *error*; its traceback goes with it, its message does not."""
        of_driver = type(error).__module__.split(".")[0] == "psycopg"
        if of_driver:
            message = f"The warehouse does not answer as it should: {of_warehouse(error)}."
            advice = "see `threegaps status` and `threegaps doctor`, then run it again."
        else:
            message = f"Something unexpected happened ({kind_of(error)})."
            advice = "run it again; if that does not help, report this with the traceback."
        cause = "warehouse_down" if is_warehouse_down(error) and of_driver else None
        made = cls(message, feed=feed, file=file, connection_id=connection_id, advice=advice, cause=cause)
        return made.with_traceback(error.__traceback__)
