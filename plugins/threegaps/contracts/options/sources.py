"""How a department's system is reached: by connection id, never by address, with the names that it uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from threegaps.contracts.options.base import Names, Option


class FileNames(Option):
    """Names of a delivery's files, with ``{delivery}`` and ``{yyyymm}`` for its period.

    Args:
        part: A regular expression for the delivery's own files; a group ``part`` tells several apart (by a number, or
            by a name as where several departments send under one feed), a group ``parts`` says how many there are.
            Only 0 to 9 count as digits.
        correction: Likewise for corrections, with a group ``part`` of digits.
        control: The name of the file that says what belongs to the delivery.
    """

    part: str
    correction: str | None = None
    control: str | None = None

    @field_validator("part", "correction")
    @classmethod
    def _is_regular_expression(cls, written: str | None) -> str | None:
        if written is not None:
            _compiled(written)
        return written

    @field_validator("correction")
    @classmethod
    def _has_a_number(cls, written: str | None) -> str | None:
        if written is not None and "part" not in _compiled(written).groupindex:
            raise ValueError("has no group `part`: the number decides which of two corrections is the later one")
        return written

    @field_validator("control")
    @classmethod
    def _is_a_name(cls, written: str | None) -> str | None:
        if written is not None and (not written or "/" in written):
            raise ValueError("is the name of a file, without a folder")
        return written


def _compiled(template: str) -> re.Pattern[str]:
    try:
        return re.compile(template.replace("{delivery}", "").replace("{yyyymm}", ""), re.ASCII)
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from error


class SftpSource(Option):
    """Files on an SFTP server.

    Args:
        folder: The folder, with ``{delivery}`` or ``{yyyymm}`` where each delivery has one of its own.
        most_entries: Most names that a folder may hold, strange ones included.
        largest_file_mib: Most that one file may hold.
    """

    protocol: Literal["sftp"]
    folder: str
    files: FileNames
    most_entries: PositiveInt = 20_000
    largest_file_mib: PositiveInt = 8_192


class FileDropSource(Option):
    """Files in a folder that the department writes to.

    Args:
        folder: Below the drop's own folder, with ``{delivery}`` or ``{yyyymm}`` where each delivery has one of its own;
            by default the department's name.
        most_entries: Most names that a folder may hold, strange ones included.
        largest_file_mib: Most that one file may hold.
    """

    protocol: Literal["file_drop"]
    folder: str | None = None
    files: FileNames
    most_entries: PositiveInt = 20_000
    largest_file_mib: PositiveInt = 8_192

    @field_validator("folder")
    @classmethod
    def _stays_below(cls, written: str | None) -> str | None:
        if written is not None and (written.startswith("/") or {"", ".", ".."} & set(written.split("/"))):
            raise ValueError("is a folder below the drop's own, like `hrss` or `hrss/{yyyymm}`")
        return written


class Window(Option):
    """Names of the parameters that bound a window of update times: from (inclusive) and to (exclusive)."""

    from_parameter: str
    to_parameter: str


class PagePager(Option):
    """Pages by their number and the number of rows in each.

    Args:
        page_parameter: The name under which the number of the page is sent.
        size_parameter: The name under which the number of rows of a page is sent.
        page_size: How many rows are asked for at once.
        first_page: The number of the first page.
        varies_size: Whether a second read asks for pages of another size, so that their ends fall between other rows;
            to be switched off only for a gateway that refuses other sizes.
    """

    kind: Literal["page"]
    page_parameter: str
    size_parameter: str
    page_size: PositiveInt
    first_page: Literal[0, 1] = 1
    varies_size: bool = True


class StartPager(Option):
    """Pages by the number of their first row and the number of rows.

    Args:
        start_parameter: The name under which the number of the first row is sent.
        count_parameter: The name under which the number of rows is sent.
        page_size: How many rows are asked for at once.
        first_row: The number of the very first row.
        varies_size: As for `PagePager`.
    """

    kind: Literal["start"]
    start_parameter: str
    count_parameter: str
    page_size: PositiveInt
    first_row: Literal[0, 1] = 1
    varies_size: bool = True


class CursorPager(Option):
    """Pages by a mark that each answer gives for the next.

    Args:
        cursor_parameter: The name under which the mark is sent; the first page is asked for without one.
        next_cursor: Where an answer has the next page's mark; missing, null or empty behind the last page.
        size_parameter: The name under which the number of rows of a page is sent, where there is one.
        page_size: How many rows are asked for at once, where that can be said.
        varies_size: As for `PagePager`; without a size the pages are the gateway's.
    """

    kind: Literal["cursor"]
    cursor_parameter: str
    next_cursor: Names
    size_parameter: str | None = None
    page_size: PositiveInt | None = None
    varies_size: bool = True

    @model_validator(mode="after")
    def _size_has_a_name(self) -> Self:
        if (self.size_parameter is None) != (self.page_size is None):
            raise ValueError("sizeParameter and pageSize belong together")
        return self


class NoPager(Option):
    """Everything in one answer."""

    kind: Literal["none"]


Pager = Annotated[PagePager | StartPager | CursorPager | NoPager, Field(discriminator="kind")]


class Total(Option):
    """Where the gateway says how many rows there are.

    Args:
        path: The way to the number in an answer.
        interface: The interface that says it, where it is one of its own; else each page says it.
    """

    path: Names
    interface: str | None = None


class TwoReads(Option):
    """What was read is whole and stable when two whole reads have the same rows.

    The ends of pages fall between other rows in each read. A single answer whose total agrees needs no second one.

    Args:
        most_reads: How often everything is read before it is given up.
    """

    kind: Literal["two_reads"]
    most_reads: Annotated[int, Field(ge=2, le=10)] = 5


class Snapshot(Option):
    """The server keeps what is read as it was at one moment, under a mark that every page is asked for with.

    Args:
        parameter: The name under which the mark is sent.
        path: Where an answer has the mark.
        interface: The interface that gives it; the first page's answer does where it is left out.
    """

    kind: Literal["snapshot"]
    parameter: str
    path: Names
    interface: str | None = None


Proof = Annotated[TwoReads | Snapshot, Field(discriminator="kind")]

Parameters = Mapping[str, str | int | bool]


class HttpSource(Option):
    """A data set behind the signed gateway; the path to an answer's rows is the file format's ``rows``.

    Args:
        path: The path of the gateway below the connection's address.
        interface: The interface that gives the rows.
        window: The names of the window's parameters; of changes only, a full list has none.
        parameters: What is sent with every request besides.
        pager: How the rows come in pages.
        total: Where the number of all rows stands; left out where the gateway does not say it.
        proof: By what it is known that the rows that were read are whole and stable.
        most_rows: Most rows that may be read at once.
        largest_answer_mib: Most that one answer may hold, unpacked.
    """

    protocol: Literal["http"]
    path: Annotated[str, Field(pattern=r"^/")]
    interface: str
    window: Window | None = None
    parameters: Parameters = Field(default_factory=dict)
    pager: Pager
    total: Total | None = None
    proof: Proof = TwoReads(kind="two_reads")
    most_rows: PositiveInt = 50_000_000
    largest_answer_mib: PositiveInt = 64

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [*self.parameters]
        for option in (self.window, self.pager, self.proof):
            for name in () if option is None else type(option).model_fields:
                if name == "parameter" or name.endswith("_parameter"):
                    names.append(getattr(option, name))
        twice = sorted({name for name in names if name is not None and names.count(name) > 1})
        if twice:
            raise ValueError(f"the parameter {twice[0]!r} is sent with two meanings")
        return self


class DatabaseSource(Option):
    """A table or view of the department's PostgreSQL database.

    Args:
        schema_name: Its schema.
        table: Its name.
        most_unordered: Most rows that may lie outside every window (without an update time, before the start, in the
            far future); they are fetched beside the window and refused by name.
        largest_mib: Most that one window, or the whole table, may hold as CSV.
    """

    protocol: Literal["database"]
    schema_name: str
    table: str
    most_unordered: NonNegativeInt = 10_000
    largest_mib: PositiveInt = 32_768


Source = Annotated[SftpSource | FileDropSource | HttpSource | DatabaseSource, Field(discriminator="protocol")]
