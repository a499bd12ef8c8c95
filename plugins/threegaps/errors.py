"""Errors that say where they happened and what to do next."""

from __future__ import annotations


class ThreeGapsError(Exception):
    """Anything that a user of ThreeGaps can act upon.

    Args:
        message: What is wrong, in one sentence.
        feed: The feed, as ``department/feed``.
        file: The file or part, by its source's name.
        row: The row, counted from 1 at the first data row.
        column: The column, by its canonical name.
        advice: What to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        feed: str | None = None,
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
        advice: str | None = None,
    ) -> None:
        self.message = message
        self.feed = feed
        self.file = file
        self.row = row
        self.column = column
        self.advice = advice
        super().__init__(str(self))

    @property
    def place(self) -> str:
        """Where it happened: the parts that are known, from feed to column."""
        named = (("feed", self.feed), ("file", self.file), ("row", self.row), ("column", self.column))
        return ", ".join(f"{name} {value}" for name, value in named if value is not None)

    def __str__(self) -> str:
        where = f"[{self.place}] " if self.place else ""
        advice = f" What to do: {self.advice}" if self.advice else ""
        return f"{where}{self.message}{advice}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments: the default way would lose them between processes.
        return (_rebuild, (type(self), self.message, self.feed, self.file, self.row, self.column, self.advice))


def _rebuild(
    kind: type[ThreeGapsError],
    message: str,
    feed: str | None,
    file: str | None,
    row: int | None,
    column: str | None,
    advice: str | None,
) -> ThreeGapsError:
    return kind(message, feed=feed, file=file, row=row, column=column, advice=advice)


class SettingsError(ThreeGapsError):
    """A setting is missing or makes no sense."""


class ServiceError(ThreeGapsError):
    """A service of our own (PostgreSQL, Airflow, sandbox) does not start, answer or stop."""


class ContractError(ThreeGapsError):
    """A feed's contract is not valid."""


class FeedError(ThreeGapsError):
    """What a department sent, or failed to send, cannot be used."""


class SourceUnavailableError(FeedError):
    """The department's system cannot be reached now; trying again later may help."""


class StillBeingWrittenError(SourceUnavailableError):
    """A file is there and somebody may still be writing it; it is looked at again in some minutes."""


class CertificationError(ThreeGapsError):
    """Great Expectations and the column rules disagree, or Great Expectations itself failed."""


class LedgerError(ThreeGapsError):
    """The ledger is at a schema version that this code does not know, or refuses a step."""


class BuildError(ThreeGapsError):
    """A build of the marts failed; the last release goes on serving."""


class ReleaseError(ThreeGapsError):
    """A release was refused by its checks or cannot be undone as asked."""
