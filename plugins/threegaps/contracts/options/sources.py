"""How a department's system is reached: by connection id, never by address, with the names that it uses."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, field_validator

from threegaps.contracts.options.base import Option


class FileNames(Option):
    """Names of a delivery's files, with ``{delivery}`` and ``{yyyymm}`` for its period.

    Args:
        part: A regular expression for the delivery's own files; a group ``part`` tells several apart, a group
            ``parts`` says how many there are.
        correction: Likewise for corrections, with a group ``part``.
        control: The name of the file that says what belongs to the delivery.
    """

    part: str
    correction: str | None = None
    control: str | None = None

    @field_validator("part", "correction")
    @classmethod
    def _is_regular_expression(cls, written: str | None) -> str | None:
        if written is not None:
            try:
                re.compile(written.replace("{delivery}", "").replace("{yyyymm}", ""))
            except re.error as error:
                raise ValueError(f"no regular expression ({error})") from error
        return written


class SftpSource(Option):
    """Files on an SFTP server, in a folder for each delivery."""

    protocol: Literal["sftp"]
    folder: str
    files: FileNames


class FileDropSource(Option):
    """Files in a folder that the department writes to; below the drop's own folder, the department's by default."""

    protocol: Literal["file_drop"]
    folder: str | None = None
    files: FileNames


class Window(Option):
    """Names of the parameters that bound a window of update times."""

    from_parameter: str
    to_parameter: str


class PagePager(Option):
    """Pages by number and size."""

    kind: Literal["page"]
    page_parameter: str
    size_parameter: str
    page_size: PositiveInt


Pager = Annotated[PagePager, Field()]


class HttpSource(Option):
    """A data set behind the signed gateway."""

    protocol: Literal["http"]
    path: str
    interface: str
    total_interface: str
    window: Window
    pager: Pager


class DatabaseSource(Option):
    """A table of the department's PostgreSQL database."""

    protocol: Literal["database"]
    schema_name: str
    table: str


Source = Annotated[SftpSource | FileDropSource | HttpSource | DatabaseSource, Field(discriminator="protocol")]
