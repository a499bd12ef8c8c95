"""What is too much ends at once with a clear refusal, in flat memory and with little work.

Each file is read in a process of its own, which says how much memory it took and how many bytes it looked at.
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.batch.batches import HEADER, WAGES, part, plain, wage
from tests.unit.batch.decode.workbooks import ENTERPRISES, read, roster, roster_row, row, sheet, text, workbook
from threegaps.batch.decode import decode
from threegaps.contracts.options.limits import Limits
from threegaps.errors import FeedError

_READER = """
import json, resource, sys
from pathlib import Path
from threegaps.batch.decode import Part, decode, opened
from threegaps.batch.decode.xlsx.container import Container
from threegaps.contracts.loader import find_contract
from threegaps.errors import FeedError
from threegaps.settings import Settings

looked_at = 0
chunks = Container.chunks
read = opened._read

def counted(self, name):
    global looked_at
    for chunk in chunks(self, name):
        looked_at += len(chunk)
        yield chunk

def counted_read(*arguments):
    global looked_at
    chunk = read(*arguments)
    looked_at += len(chunk)
    return chunk

Container.chunks, opened._read = counted, counted_read
contract = find_contract(Settings.load().contracts_folder, sys.argv[1])
path = Path(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
message, rows = None, 0
try:
    for block in decode(contract, Part(1, sys.argv[3], lambda: path.open("rb")), 8 << 20):
        rows += block.received
except FeedError as error:
    message = str(error)
print(json.dumps({
    "message": message, "rows": rows, "looked_at": looked_at,
    "memory_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before,
}))
"""


def measured(feed: str, name: str, content: bytes, folder: Path) -> dict[str, Any]:
    path = folder / "file"
    path.write_bytes(content)
    answer = subprocess.run([sys.executable, "-c", _READER, feed, str(path), name], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr[-2000:]
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def huge(name: str, first: bytes, repeated: bytes, times: int, last: bytes) -> bytes:
    """A workbook with a part that is *repeated* very often."""
    target = io.BytesIO(workbook(roster(roster_row(5)), strings="", styles=""))
    with zipfile.ZipFile(target) as before:
        parts = {entry.filename: before.read(entry) for entry in before.infolist()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for other, content in parts.items():
            if other != name:
                archive.writestr(other, content)
        with archive.open(name, "w") as stream:
            stream.write(first)
            for _ in range(times // 1000):
                stream.write(repeated * 1000)
            stream.write(last)
    return made.getvalue()


_MAIN = b' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_SHEET = "xl/worksheets/sheet1.xml"
_ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "0123456789">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + ']><worksheet xmlns="x">&j;</worksheet>'
)
WORKBOOKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a merged area over all columns": (
        lambda: workbook(roster(roster_row(5), merges=("A2:XFD41",))),
        "a merged area of 16,384 columns: more than the limit of 1,000",
    ),
    "a last cell that only has a style": (
        lambda: workbook(roster(roster_row(5), row(1048576, ['<c r="XFD1048576" s="1"/>']))),
        "in row 1048576 of sheet 1 a cell in column 16,384: more than the limit of 1,000",
    ),
    "entities within entities": (
        lambda: workbook(roster(roster_row(5)), parts={_SHEET: _ENTITIES.encode()}),
        "it has a document type or entities",
    ),
    "an entity that is a file": (
        lambda: workbook(
            roster(roster_row(5)),
            parts={_SHEET: b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>'},
        ),
        "it has a document type or entities",
    ),
    "shared texts without end": (
        lambda: huge("xl/sharedStrings.xml", b"<sst" + _MAIN + b">", b"<si/>", 20_000_000, b"</sst>"),
        "a compression that is too good to be true",
    ),
    "a sheet of nothing without end": (
        lambda: huge(_SHEET, b"<worksheet" + _MAIN + b"><sheetData>", b"<row/>", 20_000_000, b""),
        "a compression that is too good to be true",
    ),
    "a tag without end": (
        lambda: huge(_SHEET, b"<worksheet a='", b"0123456789abcdef", 1_000_000, b"'/>"),
        "a tag has no end|too good to be true",
    ),
    "elements within elements": (
        lambda: workbook(roster(roster_row(5)), parts={_SHEET: b"<a>" * 100_000}),
        "elements are nested too deeply",
    ),
    "a directory without end": (
        lambda: _entries(20_000),
        "more parts in its archive",
    ),
    "one part many times": (lambda: _overlapping(400), "too good to be true|stands twice|can be read"),
}  # fmt: skip


def _entries(count: int) -> bytes:
    target = io.BytesIO(workbook(roster(roster_row(5))))
    with zipfile.ZipFile(target, "a") as archive:
        for number in range(count):
            archive.writestr(f"x{number}", b"")
    return target.getvalue()


def _overlapping(times: int) -> bytes:
    """An archive whose directory names the same 10 MB of zeros many times."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", b"0" * 10_000_000)
        entry = archive.infolist()[0]
        for number in range(times):
            copy = zipfile.ZipInfo(f"x{number}")
            copy.compress_type, copy.CRC, copy.flag_bits = entry.compress_type, entry.CRC, entry.flag_bits
            copy.compress_size, copy.file_size, copy.header_offset = entry.compress_size, entry.file_size, 0
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
    return target.getvalue()


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_that_is_too_much_ends_at_once(name: str, tmp_path: Path) -> None:
    make, words = WORKBOOKS[name]
    content = make()
    found = measured("hrss/skill_enterprises", "skill_enterprises_2024Q3.xlsx", content, tmp_path)
    assert found["message"], f"{found['rows']} rows were read"
    assert any(part in found["message"] for part in words.split("|")), found["message"]
    assert "What to do" in found["message"]
    assert found["memory_kib"] < 100 << 10
    assert found["looked_at"] < 20 << 20


def test_a_last_row_that_only_has_a_style_is_no_row(tmp_path: Path) -> None:
    content = workbook(roster(roster_row(5), row(1048576, ['<c r="A1048576" s="1"/>'])))
    found = measured("hrss/skill_enterprises", "skill_enterprises_2024Q3.xlsx", content, tmp_path)
    assert (found["message"], found["rows"]) == (None, 1)
    assert found["memory_kib"] < 60 << 10


def test_a_gap_of_a_million_rows_is_counted_without_being_made(tmp_path: Path) -> None:
    content = workbook(roster(roster_row(5), roster_row(1048576)))
    found = measured("hrss/skill_enterprises", "skill_enterprises_2024Q3.xlsx", content, tmp_path)
    assert (found["message"], found["rows"]) == (None, 2)
    assert found["memory_kib"] < 60 << 10
    (block,) = read(content)
    assert block.physical_lines == 1048576
    assert block.structural["blank"] == 1048576 - 6


def test_a_large_workbook_is_read_in_flat_memory(tmp_path: Path) -> None:
    small, large = (
        measured(
            "hrss/skill_enterprises",
            "skill_enterprises_2024Q3.xlsx",
            workbook(roster(*(roster_row(number) for number in range(5, 5 + rows)))),
            tmp_path,
        )
        for rows in (8_000, 24_000)
    )
    assert (small["rows"], large["rows"]) == (8_000, 24_000)
    assert large["memory_kib"] < small["memory_kib"] + (25 << 10)


_ZEROS = gzip.compress(b"0" * 210_000_000, mtime=0)
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "no line ends": (lambda: _ZEROS, "a line of more bytes: more than the limit of 1,048,576"),
    "no line ends behind the header": (
        lambda: gzip.compress((HEADER + "\n").encode("gb18030") + b"0" * 210_000_000),
        "a line of more bytes",
    ),
    "nothing but line ends": (
        lambda: gzip.compress((HEADER + "\n").encode("gb18030") + b"\n" * 210_000_000),
        "a compression that is too good to be true",
    ),
    "nothing but quotes": (
        lambda: gzip.compress((HEADER + "\n").encode("gb18030") + b'"\n' * 30_000_000),
        "a compression that is too good to be true",
    ),
    "zeros": (lambda: gzip.compress(b"\0" * 210_000_000), "a line of more bytes"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_too_much_ends_at_once(name: str, tmp_path: Path) -> None:
    make, words = FILES[name]
    found = measured("hrss/wage_records", "wage_202506_part01of01.csv.gz", make(), tmp_path)
    assert words in str(found["message"])
    assert found["memory_kib"] < 300 << 10
    assert found["looked_at"] < 40 << 20


def bounded(**limits: int) -> Any:
    return {"limits": Limits(**limits)}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"rows": 3}, "more rows: more than the limit of 3"),
        ({"columns": 14}, "more columns: more than the limit of 14"),
        ({"compressed_bytes": 100}, "more bytes: more than the limit of 100"),
        ({"expanded_bytes": 300}, "more bytes once decompressed: more than the limit of 300"),
        ({"lines": 3}, "more lines: more than the limit of 3"),
        ({"line_bytes": 60}, "a line of more bytes: more than the limit of 60"),
    ],
)
def test_a_contract_may_set_limits_for_its_files(limits: dict[str, int], words: str) -> None:
    content = "".join(f"{line}\n" for line in (HEADER, *(wage(number) for number in range(1, 6)))).encode()
    contract = plain(WAGES, encoding="utf-8", compression="none", **bounded(**limits))
    with pytest.raises(FeedError, match=words) as error:
        list(decode(contract, part(content), 1 << 20))
    assert "customProperties/fileFormat/limits" in (error.value.advice or "")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"rows": 3}, "more rows"),
        ({"columns": 11}, "a cell in column 12"),
        ({"cells": 20}, "more cells"),
        ({"merges": 1}, "more merged areas"),
        ({"sheets": 1}, "more sheets"),
        ({"strings": 2}, "more different texts"),
        ({"string_characters": 5}, "more text in its cells"),
        ({"compressed_bytes": 100}, "more bytes"),
        ({"expanded_bytes": 300}, "more bytes once decompressed"),
    ],
)
def test_a_contract_may_set_limits_for_its_workbooks(limits: dict[str, int], words: str) -> None:
    content = workbook(
        roster(*(roster_row(number) for number in range(5, 10)), merges=("A1:L1", "A2:L2")),
        sheet(),
        strings="<si><t>abc</t></si>" * 3,
    )
    with pytest.raises(FeedError, match=words):
        read(content, plain(ENTERPRISES, **bounded(**limits)))


def test_a_cell_that_is_too_long_costs_its_row() -> None:
    content = workbook(roster(roster_row(5), roster_row(6, B=text("B6", "企" * 200_000))))
    (block,) = read(content)
    assert block.frame.height == 1
    assert [(fault.kind.name, fault.cell) for one in block.faulty for fault in one.faults] == [("TOO_LONG", "B6")]
