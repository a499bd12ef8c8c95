"""How one page after the other is asked for, by the pager that the contract declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from threegaps.contracts.options.sources import CursorPager, NoPager, PagePager, Pager, StartPager
from threegaps.landing.answers import AnswerError, value_at

# Each further read asks for pages that are smaller by this share of the declared size.
_SIZE_STEPS = 7


class Turning(Protocol):
    """A position among the pages."""

    @property
    def size(self) -> int | None:
        """How many rows were asked for; None where the gateway decides."""

    @property
    def knows_its_end(self) -> bool:
        """Whether the answers themselves say which page is the last; else it is the one before an empty one."""

    def parameters(self) -> Mapping[str, Any]:
        """What is sent to get the page at this position."""

    def turn(self, rows: int, document: Any) -> bool:
        """Go behind a page with this number of rows; whether there may be another one."""


class _Numbered:
    knows_its_end = False

    def __init__(self, option: PagePager, size: int) -> None:
        self._option, self.size = option, size
        self._page: int = option.first_page

    def parameters(self) -> Mapping[str, Any]:
        return {self._option.page_parameter: self._page, self._option.size_parameter: self.size}

    def turn(self, rows: int, document: Any) -> bool:
        self._page += 1
        return True


class _Started:
    knows_its_end = False

    def __init__(self, option: StartPager, size: int) -> None:
        self._option, self.size = option, size
        self._row: int = option.first_row

    def parameters(self) -> Mapping[str, Any]:
        return {self._option.start_parameter: self._row, self._option.count_parameter: self.size}

    def turn(self, rows: int, document: Any) -> bool:
        self._row += rows
        return True


class _ByCursor:
    knows_its_end = True

    def __init__(self, option: CursorPager, size: int | None) -> None:
        self._option, self.size = option, size
        self._cursor: str | None = None
        self._seen: set[str] = set()

    def parameters(self) -> Mapping[str, Any]:
        wanted: dict[str, Any] = {}
        if self._option.size_parameter is not None:
            wanted[self._option.size_parameter] = self.size
        if self._cursor is not None:
            wanted[self._option.cursor_parameter] = self._cursor
        return wanted

    def turn(self, rows: int, document: Any) -> bool:
        following = value_at(document, self._option.next_cursor)
        if following is None or following == "":
            return False
        if not isinstance(following, str):
            raise AnswerError(f"no mark of a page at {'.'.join(self._option.next_cursor)}")
        if following in self._seen:
            raise AnswerError("the mark of the next page leads back to an earlier one")
        self._seen.add(following)
        self._cursor = following
        return True


class _Alone:
    size = None
    knows_its_end = True

    def parameters(self) -> Mapping[str, Any]:
        return {}

    def turn(self, rows: int, document: Any) -> bool:
        return False


def turning(option: Pager, read: int) -> Turning:
    """The first page's position in the *read*-th read (from 0), each with pages of another size where that can be."""
    if isinstance(option, NoPager):
        return _Alone()
    size = option.page_size
    if size is not None and option.varies_size:
        size = max(1, size - read * -(-size // _SIZE_STEPS))
    if isinstance(option, CursorPager):
        return _ByCursor(option, size)
    assert size is not None  # noqa: S101  # the other pagers always have one
    return _Numbered(option, size) if isinstance(option, PagePager) else _Started(option, size)
