"""One read of all pages of a data set, and by what two reads are known to have the same rows.

Nothing is held in memory but one page: answers go to a spooled file as they come, and of each row sixteen bytes.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, cast

from threegaps.contracts.options.sources import Pager, Total
from threegaps.landing.answers import AnswerError, Silence, number_of, rows_at, value_at
from threegaps.sources.gateway_client import Answer
from threegaps.sources.pagers import turning

_SPOOL_BYTES = 16 << 20
_DIGEST_BYTES = 16
# How many digests are compared at once: the rest is gone through again.
_DIGESTS_AT_ONCE = 500_000
_MOST_PAGES = 500_000

Ask = Callable[[Mapping[str, Any], bool], Answer | None]
"""Asks for a page by its parameters; the answer may be none where it is said that there may be no such page."""


class Reading:
    """What one read of all pages came to; closed when it is no longer needed.

    Args:
        number: Which read it is, from 0.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.body = _spooled()
        self.rows = 0
        self.answers = 0
        self.total: int | None = None
        self.fault: str | None = None
        self.ends: array[int] = array("Q")
        self._digests = _spooled()
        self._sum = 0

    def close(self) -> None:
        """Give up the files behind it."""
        self.body.close()
        self._digests.close()

    @property
    def is_whole(self) -> bool:
        """Whether nothing speaks against it: totals agree, and no fewer rows came than announced."""
        return self.fault is None and (self.total is None or self.rows >= self.total)

    @property
    def is_proved_alone(self) -> bool:
        """Whether it needs no other: one answer has everything, and its number of rows is the one announced."""
        return self.fault is None and self.answers == 1 and self.rows == self.total

    def add(self, answer: Answer, digests: Sequence[bytes]) -> None:
        """Keep an answer and what its rows are known by."""
        # A line break between JSON's own marks carries no meaning; within a text JSON has none.
        self.body.write(answer.body.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
        self._digests.write(b"".join(digests))
        self._sum += sum(int.from_bytes(digest) for digest in digests)
        self.rows += len(digests)
        self.answers += 1
        self.ends.append(self.rows)

    def has_rows_of(self, other: Reading) -> bool:
        """Whether both reads are whole and have the same rows, each as often, in whatever order.

        A row that comes twice in both reads is a true double where the ends of their pages fell differently: a row
        that a shifting page repeats would not have been repeated alike. Where the gateway cuts its pages as it likes,
        only doubles that stand side by side are believed, as equal rows do in any order of its own.
        """
        if not (self.is_whole and other.is_whole and self.rows == other.rows and self._sum == other._sum):
            return False
        return self.ends != other.ends or len(self.ends) <= 1 or not self._has_scattered_doubles()

    def _has_scattered_doubles(self) -> bool:
        passes = -(-self.rows // _DIGESTS_AT_ONCE)
        for number in range(passes):
            last: dict[bytes, int] = {}
            for position, digest in enumerate(self._each_digest()):
                if digest[0] % passes != number:
                    continue
                if position - last.get(digest, position - 1) > 1:
                    return True
                last[digest] = position
        return False

    def _each_digest(self) -> Iterator[bytes]:
        self._digests.seek(0)
        while block := self._digests.read(_DIGEST_BYTES * 65_536):
            yield from (block[at : at + _DIGEST_BYTES] for at in range(0, len(block), _DIGEST_BYTES))


def _spooled() -> IO[bytes]:
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES))  # closed by the reading


class TooManyRowsError(Exception):
    """More rows came than the contract allows."""


def read_pages(
    ask: Ask,
    ask_total: Callable[[], int] | None,
    *,
    pager: Pager,
    total: Total | None,
    rows_path: Sequence[str],
    silence: Silence,
    most_rows: int,
    number: int,
) -> Reading:
    """Read all pages once.

    The end is an empty page; or, once as many rows have come as are announced, a page that is shorter than asked for, a
    refusal, or the page before once more.

    Args:
        ask: Asks for a page.
        ask_total: Asks an interface of its own for the total, where there is one.
        silence: What may stand for no rows where no total is announced and none has come.
        number: Which read it is, from 0.

    Raises:
        AnswerError: An answer has not the declared form.
        TooManyRowsError: There are more than *most_rows*.
    """
    reading = Reading(number)
    try:
        _read_into(reading, ask, ask_total, pager, total, rows_path, silence, most_rows)
    except BaseException:
        reading.close()
        raise
    return reading


def _read_into(
    reading: Reading,
    ask: Ask,
    ask_total: Callable[[], int] | None,
    pager: Pager,
    total: Total | None,
    rows_path: Sequence[str],
    silence: Silence,
    most_rows: int,
) -> None:
    position = turning(pager, reading.number)
    own_total = None if total is None or total.interface is not None else total.path
    reading.total = None if ask_total is None else ask_total()
    before: list[bytes] = []
    for _ in range(_MOST_PAGES):
        has_all = reading.total is not None and 0 < reading.total <= reading.rows
        answer = ask(position.parameters(), has_all)
        if answer is None:
            break
        announced = None if own_total is None else _announced(answer.document, own_total)
        all_rows = reading.total if announced is None else announced
        # Behind rows nothing may be the end; where it comes too early for a total, the read is one of too few rows.
        allowed: Silence = "null" if reading.rows or all_rows is not None else silence
        rows = rows_at(answer.document, rows_path, announced=all_rows, came=reading.rows, silence=allowed)
        if rows and announced is None and own_total is not None:
            raise AnswerError(f"no total at {'.'.join(own_total)}")
        if announced is not None and announced != reading.total:
            if reading.total is not None or reading.answers:
                reading.fault = "the total changed while the pages were read"
                return
            reading.total = announced
        digests = [_digest(row) for row in rows]
        if digests == before and len(set(digests)) > 1:
            if not has_all:
                reading.fault = "a page came twice"
                return
            break
        if reading.rows + len(rows) > most_rows:
            raise TooManyRowsError
        if rows or not reading.answers:
            reading.add(answer, digests)
        before = digests
        may_go_on = position.turn(len(rows), answer.document)
        is_filled = reading.total is not None and reading.rows == reading.total
        is_short = position.size is not None and len(rows) < position.size
        if not may_go_on or (not position.knows_its_end and (not rows or (is_filled and is_short))):
            break
    else:
        raise TooManyRowsError
    if ask_total is not None and ask_total() != reading.total:
        reading.fault = "the total changed while the pages were read"


def _announced(document: Any, path: Sequence[str]) -> int | None:
    """The total that an answer announces; None where it has none."""
    written = value_at(document, path)
    return None if written is None else number_of(written)


def _digest(row: Any) -> bytes:
    content = json.dumps(row, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(content.encode("ascii"), digest_size=_DIGEST_BYTES).digest()
