"""What lies under merged cells: for a header the value that the merge shows; for a row, nothing that is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from threegaps.batch.decode.faults import FaultKind
from threegaps.batch.decode.xlsx.cells import Cell
from threegaps.batch.decode.xlsx.sheet import Merge


@dataclass(slots=True)
class _Area:
    merge: Merge
    shown: Cell | None


class Covered:
    """The merged areas that reach into a sheet's rows, to be asked row by row in order.

    Args:
        merges: All of the sheet.
        head_end: The last row of its header.
    """

    def __init__(self, merges: Sequence[Merge], head_end: int) -> None:
        reaching = [merge for merge in merges if merge.last_row > head_end]
        self._waiting = sorted(reaching, key=lambda merge: (-merge.first_row, -merge.first_column))
        self._head_end = head_end
        self._areas: list[_Area] = []

    def areas(self, row: int, cells: Mapping[int, Cell]) -> list[tuple[Merge, Cell | None]]:
        """The areas that touch *row*, each with the cell that it shows.

        Args:
            row: The row's number.
            cells: The row's own cells, by column.
        """
        if self._areas:
            self._areas = [area for area in self._areas if area.merge.last_row >= row]
        while self._waiting and self._waiting[-1].first_row <= row:
            merge = self._waiting.pop()
            if merge.last_row < row:
                continue
            shown = cells.get(merge.first_column) if merge.first_row == row else None
            if merge.first_row <= self._head_end:
                # What a header shows is no row's value.
                shown = Cell(merge.first_column, None, FaultKind.MERGED)
            self._areas.append(_Area(merge, shown))
        return [(area.merge, area.shown) for area in self._areas]


def unmerged(rows: dict[int, dict[int, str]], merges: Sequence[Merge], first: int, last: int, width: int) -> None:
    """Give every cell of a header the value of the merged area that it lies in.

    Args:
        rows: The header's texts by row and column; changed in place.
        merges: The sheet's merged areas.
        first: The header's first row.
        last: Its last row.
        width: The last column that counts.
    """
    for merge in merges:
        if not first <= merge.first_row <= last:
            continue
        text = rows.get(merge.first_row, {}).get(merge.first_column)
        if text is None:
            continue
        for row in range(merge.first_row, min(merge.last_row, last) + 1):
            for column in range(merge.first_column, min(merge.last_column, width) + 1):
                rows.setdefault(row, {})[column] = text


def carried_right(rows: Mapping[int, Mapping[int, str]], first: int, last: int) -> dict[int, dict[int, str]]:
    """A header in which the names of groups, in all rows but the last, go on to the right up to the next group.

    Args:
        rows: The header's texts by row and column.
        first: The header's first row.
        last: Its last row, whose columns take the groups.
    """
    found = {number: dict(texts) for number, texts in rows.items()}
    for number in range(first, last):
        group = None
        for column in sorted({*found.get(number, {}), *found.get(last, {})}):
            group = found.get(number, {}).get(column) or group
            if group is not None and column in found.get(last, {}):
                found.setdefault(number, {})[column] = group
    return found
