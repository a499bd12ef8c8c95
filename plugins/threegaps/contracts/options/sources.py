"""How a department's system is reached: by connection id, never by address, with the names that it uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from threegaps.contracts.options.base import Names, Option, OptionError, Text, nearest
from threegaps.contracts.options.templates import checked_placeholders, compiled_template, has_period, is_of_digits

_GROUPS = ("part", "parts")


class FileNames(Option):
    """Names of a delivery's files, with ``{delivery}`` and ``{yyyymm}`` for its period.

    Args:
        part: A regular expression for the delivery's own files; a group ``part`` tells several apart (by a number, or
            by a name as where several departments send under one feed), a group ``parts`` says how many there are.
            Only 0 to 9 count as digits.
        correction: Likewise for corrections, with a group ``part`` of digits.
        control: The name of the file that says what belongs to the delivery.
    """

    part: Text
    correction: Text | None = None
    control: str | None = None

    @field_validator("part", "correction")
    @classmethod
    def _is_regular_expression(cls, written: str | None) -> str | None:
        if written is None:
            return None
        checked_placeholders(written, is_expression=True)
        groups = compiled_template(written).groupindex
        unknown = [name for name in groups if name not in _GROUPS]
        if unknown:
            raise ValueError(f"the group {unknown[0]!r} is not known{nearest(unknown[0], _GROUPS)}")
        if "parts" in groups and not is_of_digits(written, "parts"):
            raise ValueError("the group `parts`, how many parts there are, is not of digits only: write \\d+")
        return written

    @field_validator("correction")
    @classmethod
    def _has_a_number(cls, written: str | None) -> str | None:
        if written is None:
            return None
        if "part" not in compiled_template(written).groupindex:
            raise ValueError("has no group `part`: the number decides which of two corrections is the later one")
        if not is_of_digits(written, "part"):
            raise ValueError("the group `part`, the correction's number, is not of digits only: write \\d+")
        return written

    @field_validator("control")
    @classmethod
    def _is_a_name(cls, written: str | None) -> str | None:
        if written is None:
            return None
        if not written or "/" in written:
            raise ValueError("is the name of a file, without a folder")
        return checked_placeholders(written, is_expression=False)


def _refuse_timeless(files: FileNames, folder: str | None) -> None:
    """A name that is the same in every period would be taken for each delivery again."""
    if folder is not None and has_period(folder):
        return
    for name in type(files).model_fields:
        template = getattr(files, name)
        if template is not None and not has_period(template):
            raise OptionError(
                f"files/{name}",
                "neither it nor the folder names a period, so that each delivery would take the same"
                " file again: put {delivery} or {yyyymm} where the period stands",
            )


class SftpSource(Option):
    """Files on an SFTP server.

    Args:
        folder: The folder, with ``{delivery}`` or ``{yyyymm}`` where each delivery has one of its own.
        most_entries: Most names that a folder may hold, strange ones included.
        largest_file_mib: Most that one file may hold.
    """

    protocol: Literal["sftp"]
    folder: Text
    files: FileNames
    most_entries: PositiveInt = 20_000
    largest_file_mib: PositiveInt = 8_192

    @field_validator("folder")
    @classmethod
    def _is_a_folder(cls, written: str) -> str:
        if ".." in written.split("/"):
            raise ValueError("leads upward: name the folder itself, like `/wages/{yyyymm}`")
        return checked_placeholders(written, is_expression=False)

    @model_validator(mode="after")
    def _has_a_period(self) -> Self:
        _refuse_timeless(self.files, self.folder)
        return self


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
            raise ValueError("is a folder below the drop's own, like `files` or `files/{yyyymm}`")
        return None if written is None else checked_placeholders(written, is_expression=False)

    @model_validator(mode="after")
    def _has_a_period(self) -> Self:
        _refuse_timeless(self.files, self.folder)
        return self


class Window(Option):
    """Names of the parameters that bound a window of update times: from (inclusive) and to (exclusive)."""

    from_parameter: Text
    to_parameter: Text


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
    page_parameter: Text
    size_parameter: Text
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
    start_parameter: Text
    count_parameter: Text
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
    cursor_parameter: Text
    next_cursor: Names
    size_parameter: Text | None = None
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
    interface: Text | None = None


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
    parameter: Text
    path: Names
    interface: Text | None = None


Proof = Annotated[TwoReads | Snapshot, Field(discriminator="kind")]

Parameters = Mapping[Text, str | int | bool]


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
    interface: Text
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
    schema_name: Text
    table: Text
    most_unordered: NonNegativeInt = 10_000
    largest_mib: PositiveInt = 32_768


Source = Annotated[SftpSource | FileDropSource | HttpSource | DatabaseSource, Field(discriminator="protocol")]
