"""Paging conventions of the gateway: what a reader writes to get the next rows."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Paging(Protocol):
    """A convention."""

    def wanted(self, asked: Mapping[str, object]) -> tuple[int, int]:
        """Offset (from 0) and number of the rows asked for. Raises ValueError for what makes no sense."""

    def beside(self, offset: int, found: int, total: int) -> dict[str, object]:
        """What stands in the answer beside the rows."""


def _number(asked: Mapping[str, object], name: str, least: int, most: int | None = None) -> int:
    try:
        number = int(str(asked[name]))
    except (KeyError, ValueError) as error:
        raise ValueError(name) from error
    if number < least or (most is not None and number > most):
        raise ValueError(name)
    return number


@dataclass(frozen=True, slots=True)
class PageAndSize:
    """`page` counts pages from 1, `size` is the number of rows in each."""

    page: str
    size: str
    largest: int
    gives_total: bool = True

    def wanted(self, asked: Mapping[str, object]) -> tuple[int, int]:
        """Offset and number of rows."""
        size = _number(asked, self.size, 1, self.largest)
        return (_number(asked, self.page, 1) - 1) * size, size

    def beside(self, offset: int, found: int, total: int) -> dict[str, object]:
        """The total, where the department gives one."""
        return {"total": total} if self.gives_total else {}


@dataclass(frozen=True, slots=True)
class StartAndCount:
    """`start` is the number of the first row wanted, counted from `first`; `count` how many rows."""

    start: str
    count: str
    largest: int
    first: int = 1
    gives_total: bool = False

    def wanted(self, asked: Mapping[str, object]) -> tuple[int, int]:
        """Offset and number of rows."""
        return _number(asked, self.start, self.first) - self.first, _number(asked, self.count, 1, self.largest)

    def beside(self, offset: int, found: int, total: int) -> dict[str, object]:
        """The total, where the department gives one."""
        return {"total": total} if self.gives_total else {}


@dataclass(frozen=True, slots=True)
class Cursor:
    """`cursor` is empty at first, then what the answer before said under `following`; empty there at the end."""

    cursor: str
    count: str
    following: str
    largest: int

    def wanted(self, asked: Mapping[str, object]) -> tuple[int, int]:
        """Offset and number of rows."""
        count = _number(asked, self.count, 1, self.largest)
        given = str(asked.get(self.cursor) or "")
        try:
            offset = int(base64.b64decode(given, validate=True)) if given else 0
        except (binascii.Error, ValueError) as error:
            raise ValueError(self.cursor) from error
        return offset, count

    def beside(self, offset: int, found: int, total: int) -> dict[str, object]:
        """Where the next rows begin."""
        after = offset + found
        return {self.following: base64.b64encode(str(after).encode()).decode() if after < total else ""}
