"""Taking lines out of log files: those that name a landed object or its batches, and what belongs to such a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# A record begins with a JSON object, a date or a level; what follows without one belongs to the record before it.
_BEGINNING = re.compile(rb'^\s*(\{"|\[?\d{4}-\d\d-\d\d|\[?(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b|\x1b\[)')
# As `threegaps.feed_run.loading` logs them.
_BEGUN = re.compile(rb": batch (\d+) judges landed objects ")
_LOADED = re.compile(rb": batch \d+ received ")
_ERROR = re.compile(rb'"level": ?"(error|critical)"|\b(ERROR|CRITICAL)\b|\[error', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """By what log lines name a landed object.

    Args:
        landed_object_id: Its number.
        batch_ids: Numbers of the batches that judged it.
        own_names: File names that are its alone.
        shared_names: File names that other landed objects have too: of these only lines of its batches speak of it.
    """

    landed_object_id: int
    batch_ids: Sequence[int]
    own_names: Sequence[str]
    shared_names: Sequence[str] = ()


def remove_lines(folders: Iterable[Path], named: Named, *, hides_errors: bool) -> int:
    """Take out the records that name a landed object, how many lines that were.

    Log files are written over where they lie, so that a program that writes to one goes on writing to it.

    Args:
        folders: Where log files (``*.log``, and those that were put aside) lie; a missing one has none.
        named: What names it.
        hides_errors: Also take out every error that came up while one of its batches was judged and loaded: what it
            quotes is unknown.
    """
    wanted = [rb"\blanded object %d\b" % named.landed_object_id, *map(_of_name, named.own_names)]
    wanted += [rb"\bbatch(?:_id\W+)? ?%d\b" % number for number in named.batch_ids]
    anywhere = [re.compile(pattern, re.IGNORECASE) for pattern in wanted]
    within = [re.compile(_of_name(name)) for name in named.shared_names]
    if hides_errors:
        within.append(_ERROR)

    def is_meant(record: bytes, batch_id: int | None) -> bool:
        patterns = [*anywhere, *within] if batch_id in named.batch_ids else anywhere
        return any(pattern.search(record) for pattern in patterns)

    removed = 0
    for path in _log_files(folders):
        records = list(_records(path.read_bytes()))
        meant = [is_meant(record, batch_id) for record, batch_id in zip(records, _batches(records), strict=True)]
        if any(meant):
            removed += _rewrite(path, records, meant)
    return removed


def _of_name(name: str) -> bytes:
    return rb"(?<![\w.])" + re.escape(name.encode()) + rb"(?!\.?\w)"


def _batches(records: Iterable[bytes]) -> Iterator[int | None]:
    """The batch that was being judged and loaded when each of the records was written; None outside of any."""
    batch_id: int | None = None
    for record in records:
        if begun := _BEGUN.search(record):
            batch_id = int(begun[1])
        yield batch_id
        if _LOADED.search(record):
            batch_id = None


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
