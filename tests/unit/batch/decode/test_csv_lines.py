"""Delimited lines: what is wrong with one of them is its own, and never shifts or swallows another."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.batch.batches import HEADER, WAGES, part, plain, wage
from threegaps.batch.decode import TextBlock, decode
from threegaps.batch.decode.faults import FaultKind
from threegaps.contracts.layouts import check_layouts
from threegaps.contracts.model import Contract, Header
from threegaps.contracts.options.formats import CsvFormat, CsvLayout
from threegaps.contracts.options.headers import HeaderName
from threegaps.errors import FeedError

SECRET = "339900199001010018"


def declared(**options: Any) -> Contract:
    return plain(WAGES, **{"encoding": "utf-8", "compression": "none", **options})


def read(content: bytes, contract: Contract | None = None, block_bytes: int = 1 << 20, **more: Any) -> list[TextBlock]:
    return list(decode(contract or declared(), part(content, **more), block_bytes))


def together(blocks: list[TextBlock]) -> tuple[dict[int, str], dict[int, set[FaultKind]]]:
    """Employers by row number, and what is wrong with the others by theirs; counts must balance."""
    lines = sum(block.physical_lines for block in blocks)
    received = sum(block.received for block in blocks)
    assert lines == sum(block.structural.total() for block in blocks) + received
    good = {
        number: block.frame["employer_code"][index]
        for block in blocks
        for index, number in enumerate(block.row_numbers)
    }
    wrong = {row.row_number: {fault.kind for fault in row.faults} for block in blocks for row in block.faulty}
    assert sorted([*good, *wrong]) == list(range(1, received + 1))
    return good, wrong


def lines(count: int) -> list[bytes]:
    return [wage(number, employer_code=f"E{number:08d}").encode() for number in range(1, count + 1)]


def file(*rows: bytes, end: bytes = b"\n") -> bytes:
    return end.join([HEADER.encode(), *rows]) + end


WRONG: dict[str, tuple[bytes, FaultKind | None]] = {
    "a lone byte": (b"\xff", FaultKind.BYTES),
    "half a character": ("元".encode()[:2], FaultKind.BYTES),
    "half a pair": (b"\xed\xa0\x80", FaultKind.BYTES),
    "a NUL": (b"\0", FaultKind.NUL),
    "a line break": (b"\r", FaultKind.LINE_BREAK),
    "a delimiter": (b",", None),
    "a quote that opens": (b',"', FaultKind.QUOTE),
}


@pytest.mark.parametrize("quoted_newlines", [False, True])
@pytest.mark.parametrize("block_bytes", [300, 1 << 20])
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_line_costs_that_line(name: str, block_bytes: int, quoted_newlines: bool) -> None:
    inserted, kind = WRONG[name]
    rows = lines(12)
    rows[4] = rows[4].replace(b"E0000", inserted + b"E0000")
    blocks = read(file(*rows), declared(quoted_newlines=quoted_newlines), block_bytes)
    good, wrong = together(blocks)
    assert wrong == {5: set() if kind is None else {kind}}
    assert good == {number: f"E{number:08d}" for number in range(1, 13) if number != 5}
    (row,) = [row for block in blocks for row in block.faulty]
    assert row.line == 6


@pytest.mark.parametrize(
    "mark", [b"\x1f\x8b", b"x^", b"x\x01", b"x\x9c", b"(\xb5/\xfd"], ids=["gzip", *"xyz", "Zstandard"]
)
@pytest.mark.parametrize("block_bytes", [200, 1 << 20])
def test_a_line_that_begins_as_an_archive_does_is_a_line(mark: bytes, block_bytes: int) -> None:
    rows = lines(9)
    rows[0], rows[5] = mark + rows[0], mark + rows[5]
    good, wrong = together(read(file(*rows), block_bytes=block_bytes))
    assert {number for number, kinds in wrong.items() if kinds != {FaultKind.BYTES}} == set()
    assert {**good, **dict.fromkeys(wrong)}.keys() == set(range(1, 10))
    assert set(wrong) <= {1, 6}


@settings(max_examples=150, deadline=None)
@given(
    st.data(),
    st.booleans(),
    st.sampled_from([200, 700, 1 << 20]),
    st.sampled_from(["utf-8", "gb18030"]),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_no_byte_of_a_line_reaches_another(
    data: st.DataObject, quoted_newlines: bool, block_bytes: int, encoding: str, end: bytes
) -> None:
    rows = [line.decode().encode(encoding) for line in lines(9)]
    place = data.draw(st.integers(0, 8))
    noise = data.draw(st.binary(min_size=1, max_size=6).filter(lambda one: b"\n" not in one and b"\x1a" not in one))
    at = data.draw(st.integers(0, len(rows[place]) - 1))
    rows[place] = rows[place][:at] + noise + rows[place][at:]
    content = end.join([HEADER.encode(encoding), *rows]) + end
    blocks = read(content, declared(encoding=encoding, quoted_newlines=quoted_newlines), block_bytes)
    good, wrong = together(blocks)
    assert sum(block.received for block in blocks) == 9
    assert set(wrong) <= {place + 1}
    for number in range(1, 10):
        if number != place + 1:
            assert good[number] == f"E{number:08d}"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet='a,"\n', max_size=6), min_size=1, max_size=12), st.sampled_from([60, 300, 1 << 20]))
def test_quoted_texts_come_as_they_were_written(texts: list[str], block_bytes: int) -> None:
    rows = []
    for number, text in enumerate(texts, 1):
        quoted = '"' + text.replace('"', '""') + '"'
        rows.append(wage(number, employer_code=quoted).encode())
    good, wrong = together(read(file(*rows), declared(quoted_newlines=True), block_bytes))
    assert not wrong
    assert list(good.values()) == texts


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    rows = lines(600)
    rows[1] = rows[1].replace(b"E00000002", b'"E00000002')
    rows[300] = rows[300].replace(b"E00000301", b'"E00000301')
    rows[301] = rows[301].replace(b"E00000302", b'E00000302"')
    for block_bytes in (1_000, 1 << 20):
        good, wrong = together(read(file(*rows), declared(quoted_newlines=True), block_bytes))
        assert wrong == {2: {FaultKind.QUOTE}, 301: {FaultKind.QUOTE}}
        assert len(good) == 598
        assert good[302] == 'E00000302"'


def test_a_text_that_holds_whole_rows_is_not_believed() -> None:
    rows = lines(5)
    rows[1] = rows[1].rsplit(b",", 1)[0] + b',"1'
    rows[3] = rows[3] + b'"'
    good, wrong = together(read(file(*rows), declared(quoted_newlines=True)))
    assert wrong == {2: {FaultKind.QUOTE}}
    assert set(good) == {1, 3, 4, 5}


@pytest.mark.parametrize("mark", [b"\x1a", b"\x1a\x1a", b"\x1a\r\n", b"\x1a\n\n"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_the_end_mark_is_neither_row_nor_line(mark: bytes, end: bytes, compression: str, encoding: str) -> None:
    content = (file(*lines(3), end=end) + mark).decode().encode(encoding)
    content = gzip.compress(content) if compression == "gzip" else content
    blocks = read(content, declared(encoding=encoding, compression=compression))
    good, wrong = together(blocks)
    assert (len(good), wrong) == (3, {})
    assert sum(block.physical_lines for block in blocks) == 4
    assert together(read(content, declared(encoding=encoding, compression=compression), 250))[0] == good


def test_an_end_mark_right_behind_the_last_row_and_a_file_of_nothing_else() -> None:
    assert len(together(read(file(*lines(2)).rstrip(b"\n") + b"\x1a"))[0]) == 2
    with pytest.raises(FeedError, match="empty"):
        read(b"\x1a")


def test_files_that_were_put_together_keep_their_marks_and_headers_out() -> None:
    mark = b"\xef\xbb\xbf"
    content = mark + file(*lines(2)) + mark + file(*lines(3)) + b"\x1a" + file(lines(1)[0]) + mark + lines(1)[0] + b"\n"
    blocks = read(content)
    good, wrong = together(blocks)
    assert (len(good), wrong) == (7, {})
    assert sum((block.structural for block in blocks[1:]), blocks[0].structural) == {"header": 3}
    assert [one.line for one in blocks[0].noted] == [1, 4, 8]


@pytest.mark.parametrize("block_bytes", [300, 1 << 20])
@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "with quotes"])
@pytest.mark.parametrize("marks", ["\ufeff", "\ufeff\ufeff", "\ufeff\x1a\ufeff", ""])
@pytest.mark.parametrize("repeated", ["as it was", "spaced out", "by an older name", "marked"])
def test_a_header_that_is_repeated_is_no_row(repeated: str, marks: str, quoted: bool, block_bytes: int) -> None:
    names = HEADER.split(",")
    older = [name.replace("险种", "险种类型") for name in names]
    assert older != names
    again = {
        "as it was": names,
        "spaced out": [f" {name[0]}\u3000{name[1:]}\u200b" for name in names],
        "by an older name": older,
        "marked": [f"\ufeff\ufeff{names[0]}", *names[1:]],
    }[repeated]
    scheme = (Header("险种类型", valid_to=dt.date(2020, 12, 31)), Header("险种", dt.date(2021, 1, 1)))
    rows = lines(6)
    if quoted:
        rows[5] = rows[5].replace(b"E00000006", b'"E00000006"')
    written = [f"{marks}{HEADER}".encode(), *rows[:3], ",".join(again).encode(), *rows[3:]]
    good, wrong = together(
        read(b"\n".join(written) + b"\n", with_headers(scheme=scheme), block_bytes, delivery_end=dt.date(2025, 6, 30))
    )
    assert good == {number: f"E{number:08d}" for number in range(1, 7)}
    assert not wrong


def test_a_row_that_begins_with_the_name_of_a_column_is_a_row() -> None:
    rows = lines(4)
    rows[1] = wage(2, id_type=HEADER.split(",")[0], employer_code="E00000002").encode()
    good, wrong = together(read(file(*rows)))
    assert good == {number: f"E{number:08d}" for number in range(1, 5)}
    assert not wrong


NAMES = HEADER.split(",")
NO_HEADERS = {
    "one name behind an empty field": ["", NAMES[1], *[""] * (len(NAMES) - 2)],
    "all names but one": [*NAMES[:-1], ""],
    "all names in another order": NAMES[::-1],
    "the first name in each field": [NAMES[0]] * len(NAMES),
    "the first name alone": [NAMES[0], *[""] * (len(NAMES) - 1)],
}


@pytest.mark.parametrize("neighbour", ["plain", "with quotes", "blank"])
@pytest.mark.parametrize("name", NO_HEADERS)
def test_whether_a_line_is_a_header_does_not_depend_on_its_neighbours(name: str, neighbour: str) -> None:
    rows = lines(4)
    rows[1] = ",".join(NO_HEADERS[name]).encode()
    if neighbour == "with quotes":
        rows[3] = rows[3].replace(b"E00000004", b'"E00000004"')
    blocks = read(file(*rows, *([b""] if neighbour == "blank" else [])))
    assert sum(block.received for block in blocks) == 4
    assert sum(block.structural["header"] for block in blocks) == 1


@pytest.mark.parametrize("space", ["", " ", "\u3000", "\u00a0", "\t", "\ufeff", "\u200b \u3000"])
@pytest.mark.parametrize("delimiters", [0, 14])
def test_rows_of_spaces_are_blank(space: str, delimiters: int) -> None:
    blank = ",".join([space] * (delimiters + 1)).encode()
    blocks = read(file(lines(2)[0], blank, lines(2)[1]))
    good, wrong = together(blocks)
    assert (set(good), wrong) == ({1, 2}, {})
    assert [(one.reason, one.line) for one in blocks[0].noted] == [("header", 1), ("blank", 3)]


def test_delimiters_at_the_end_are_columns_without_a_name() -> None:
    rows = lines(4)
    rows[2] = rows[2].replace(b"E00000003", b"E,00000003")
    content = (HEADER + ",,\n").encode() + b"".join(row + b",,\n" for row in rows[:3]) + rows[3] + b",x,\n"
    good, wrong = together(read(content))
    assert set(good) == {1, 2}
    assert wrong == {3: set(), 4: set()}
    assert len(together(read((HEADER + ",\n").encode() + b"".join(row + b",\n" for row in lines(3))))[0]) == 3


def test_another_encoding_than_the_declared_one_is_said_as_such() -> None:
    content = file(*lines(30))
    wrong = [
        (content.decode().encode("gb18030"), "utf-8", "not utf-8.*but gb18030"),
        (content, "gb18030", "not gb18030.*but utf-8"),
        (b"\xef\xbb\xbf" + content, "gb18030", "utf-8 by its first bytes"),
        (content.decode().encode("utf-16"), "utf-8", "utf-16 by its first bytes"),
        (content.decode().encode("utf-16-le"), "gb18030", "but utf-16"),
    ]
    for bytes_, encoding, words in wrong:
        with pytest.raises(FeedError, match=words) as error:
            read(bytes_, declared(encoding=encoding))
        assert error.value.row == 0


def test_a_file_of_which_a_fifth_is_no_text_is_in_another_encoding() -> None:
    rows = lines(200)
    for number in range(0, 200, 4):
        rows[number] = rows[number].replace(b"E0", b"\xff")
    with pytest.raises(FeedError, match="not utf-8") as error:
        read(file(*rows))
    assert error.value.row == 1
    for number in range(0, 200, 12):
        rows[number] = rows[number].replace(b"\xff", b"E0")
    rows = [row if number % 24 == 4 else row.replace(b"\xff", b"E0") for number, row in enumerate(rows)]
    _, wrong = together(read(file(*rows)))
    assert 0 < len(wrong) < 20


KINDS: dict[str, tuple[bytes, str, str]] = {
    "a workbook": (b"PK\x03\x04" + b"\0" * 99, "none", "is a zip archive or a workbook, and the contract declares csv"),
    "an archive that was not declared": (gzip.compress(file(*lines(1))), "none", "is a gzip archive"),
    "a web page": (b"<!DOCTYPE html><html><body>error</body></html>", "none", "is a web page"),
    "no archive": (file(*lines(1)), "gzip", "is not compressed, and the contract declares gzip"),
    "another archive": (b"7z\xbc\xaf\x27\x1c", "gzip", "is a 7-Zip archive"),
    "half an archive": (gzip.compress(file(*lines(9)))[:-20], "gzip", "cut off or damaged"),
    "a damaged archive": (b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 50, "gzip", "cut off or damaged"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_kind_is_named(name: str) -> None:
    content, compression, words = KINDS[name]
    with pytest.raises(FeedError, match=words) as error:
        read(content, declared(compression=compression))
    assert error.value.advice


def test_a_file_without_its_header_says_nothing_of_what_it_holds() -> None:
    row = wage(1, resident_id=SECRET, wage_cny_month="6543.21")
    with pytest.raises(FeedError, match="15 that the contract does not know, in position 1, 2") as error:
        read(f"{row}\n{row}\n".encode())
    assert SECRET not in str(error.value)
    assert "6543.21" not in str(error.value)
    assert error.value.column == "id_type"


def with_headers(**headers: tuple[Header, ...]) -> Contract:
    contract = declared()
    columns = tuple(
        dataclasses.replace(column, headers=headers.get(column.name, column.headers)) for column in contract.columns
    )
    return dataclasses.replace(contract, columns=columns, by_name={column.name: column for column in columns})


def test_a_header_holds_on_its_days() -> None:
    last = dt.date(2025, 6, 30)
    contract = with_headers(
        scheme=(Header("险种", valid_to=last), Header("险种类型", valid_from=last + dt.timedelta(days=1)))
    )
    old, new = file(*lines(2)), file(*lines(2)).replace("险种".encode(), "险种类型".encode())
    assert together(read(old, contract, delivery_end=last))[0]
    assert together(read(new, contract, delivery_end=dt.date(2025, 7, 31)))[0]
    for content, day in ((new, last), (old, dt.date(2025, 7, 31))):
        with pytest.raises(FeedError, match="under a name of other days scheme") as error:
            read(content, contract, delivery_end=day)
        assert error.value.column == "scheme"
    both = with_headers(scheme=(Header("险种"), Header("险种类型")))
    assert together(read(old, both))[0] == together(read(new, both))[0]
    twice = old.replace("行业".encode(), "险种类型".encode())
    with pytest.raises(FeedError, match="twice scheme"):
        read(twice, both)


def layouts(*listed: CsvLayout, **options: Any) -> Contract:
    file_format = CsvFormat(kind="csv", encoding="utf-8", layouts=listed, **options)
    contract = dataclasses.replace(WAGES, file_format=file_format)
    check_layouts(contract)
    return contract


def test_the_files_name_chooses_the_layout() -> None:
    names = [column.source_name for column in WAGES.columns]
    contract = layouts(
        CsvLayout(name="A", files=r"a_\d+\.csv"),
        CsvLayout(
            name="B",
            files=r"b_\d+\.csv",
            encoding="gb18030",
            delimiter="|",
            title_rows=1,
            headers={"scheme": (HeaderName(header="险别"),), "industry_code": (HeaderName(header="险种"),)},
            without=("uscc",),
        ),
    )
    first = read(file(*lines(2)), contract, name="a_202506.csv")
    assert first[0].frame["employer_code"].to_list() == ["E00000001", "E00000002"]
    values = wage(1).split(",")
    shown = {"险种": "险别", "行业": "险种"}
    kept = [index for index, name in enumerate(names) if name != "统一社会信用代码"][::-1]
    content = "\r\n".join(
        ["2025年6月", "|".join(shown.get(names[index], names[index]) for index in kept),
         "|".join(values[index] for index in kept), ""]
    ).encode("gb18030")  # fmt: skip
    (block,) = read(content, contract, name="b_202506.csv")
    assert block.frame.row(0, named=True) == first[0].frame.row(0, named=True) | {"uscc": None}
    assert block.structural == {"title": 1, "header": 1}
    bare = b"title\n" + file(*lines(2)).replace(b",", b"|").decode().encode("gb18030")
    with pytest.raises(FeedError, match="missing scheme"):
        read(bare, contract, name="b_202506.csv")
    with pytest.raises(FeedError, match="fits none of the contract's layouts"):
        read(file(*lines(2)), contract, name="c_202506.csv")
    with pytest.raises(FeedError, match="fits several of the contract's layouts: X, Y"):
        read(b"", layouts(CsvLayout(name="X", files=".*"), CsvLayout(name="Y", files="a.*")), name="a_1.csv")


def test_values_come_from_the_files_name_and_from_the_contract() -> None:
    columns = tuple(
        dataclasses.replace(
            column,
            headers=() if column.name in {"amount_unit", "work_county_code"} else column.headers,
            origin={"amount_unit": "declared", "work_county_code": "file_name"}.get(column.name),
        )
        for column in WAGES.columns
    )
    contract = dataclasses.replace(
        WAGES,
        columns=columns,
        by_name={column.name: column for column in columns},
        file_format=CsvFormat(
            kind="csv",
            encoding="utf-8",
            values={"amount_unit": "万元"},
            file_name=r"wage_(?P<work_county_code>\d{6})\.csv",
        ),
    )
    check_layouts(contract)
    taken = {"金额单位", "参保地区划"}
    names = HEADER.split(",")
    kept = [index for index, name in enumerate(names) if name not in taken]
    rows = [HEADER, wage(1), wage(2), wage(3, employer_code='"E\0"')]
    content = "\n".join(",".join(row.split(",")[index] for index in kept) for row in rows).encode()
    (block,) = read(content, contract, name="wage_330106.csv")
    assert block.frame["amount_unit"].to_list() == ["万元"] * 2
    assert block.frame["work_county_code"].to_list() == ["330106"] * 2
    (row,) = block.faulty
    assert row.values is not None
    assert (row.values["amount_unit"], row.values["work_county_code"]) == ("万元", "330106")
    with pytest.raises(FeedError, match="has not the form from which the contract takes values"):
        read(content, contract, name="wage_now.csv")
