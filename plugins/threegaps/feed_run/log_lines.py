"""Taking lines out of log files: those that name a landed object or its batches, and what belongs to such a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

# A record begins with a JSON object, a date or a level; what follows without one belongs to the record before it.
_BEGINNING = re.compile(rb'^\s*(\{"|\[?\d{4}-\d\d-\d\d|\[?(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b|\x1b\[)')
_ERROR = re.compile(rb'"level": ?"(error|critical)"|\b(ERROR|CRITICAL)\b|\[error', re.IGNORECASE)


def remove_lines(
    folders: Iterable[Path], *, file_names: Sequence[str], batch_ids: Sequence[int], hides_errors: bool
) -> int:
    """Take out the records that name one of the files or batches; how many lines that were.

    Log files are written over where they lie, so that a program that writes to one goes on writing to it.

    Args:
        folders: Where log files (``*.log``, and those that were put aside) lie; a missing one has none.
        file_names: Names of landed files.
        batch_ids: Numbers of batches.
        hides_errors: Also take out every error of a file that names one of the batches: what it quotes is unknown.
    """
    names = [re.compile(rb"(?<![\w.])" + re.escape(name.encode()) + rb"(?!\.?\w)") for name in file_names if name]
    numbers = [re.compile(rb"\bbatch(?:_id\W+)? ?%d\b" % number, re.IGNORECASE) for number in batch_ids]

    def is_meant(record: bytes) -> bool:
        return any(pattern.search(record) for pattern in (*names, *numbers))

    removed = 0
    for path in _log_files(folders):
        records = list(_records(path.read_bytes()))
        meant = [is_meant(record) for record in records]
        if not any(meant):
            continue
        if hides_errors:
            meant = [one or _ERROR.search(record) is not None for one, record in zip(meant, records, strict=True)]
        removed += _rewrite(path, records, meant)
    return removed


def _log_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        found = {*folder.rglob("*.log"), *folder.rglob("*.log.*")}
        yield from sorted(path for path in found if path.is_file() and not path.is_symlink())


def _records(content: bytes) -> Iterator[bytes]:
    record = b""
    for line in content.splitlines(keepends=True):
        if record and _BEGINNING.match(line):
            yield record
            record = b""
        record += line
    if record:
        yield record


def _rewrite(path: Path, records: Sequence[bytes], is_removed: Sequence[bool]) -> int:
    with path.open("r+b") as file:
        file.write(b"".join(record for record, removed in zip(records, is_removed, strict=True) if not removed))
        file.truncate()
    return sum(len(record.splitlines()) for record, removed in zip(records, is_removed, strict=True) if removed)
