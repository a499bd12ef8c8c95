"""Names of files: which delivery and which part they stand for, and which differ only in form."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from threegaps.calendar import Delivery
from threegaps.contracts.options.deliveries import QuietFiles
from threegaps.contracts.options.sources import FileNames
from threegaps.contracts.options.templates import filled, has_period

__all__ = [
    "FileRole",
    "any_period",
    "common_form",
    "expected_parts",
    "filled",
    "folder_above",
    "has_period",
    "is_plain",
    "part_name",
    "pattern_of",
    "role_of",
]

FileRole = Literal["part", "correction", "control"]
"""What a file is of a delivery."""


def folder_above(template: str) -> str | None:
    """The folder above those that are each delivery's own; None where a folder is of all deliveries.

    Where it is missing, so is whatever lies in it; where it is there, a delivery's own one may still have to come.
    """
    if not has_period(template):
        return None
    steps = template.split("/")
    return "/".join(steps[: next(number for number, step in enumerate(steps) if has_period(step))]) or "."


def pattern_of(template: str, delivery: Delivery) -> re.Pattern[str]:
    """The pattern of a delivery's names; only 0 to 9 are digits in it."""
    return re.compile(filled(template, delivery), re.ASCII)


def expected_parts(completeness: QuietFiles) -> tuple[str, ...]:
    """What the parts of a delivery without a control file are called in landing."""
    named = completeness.parts or map(str, range(1, (completeness.part_count or 0) + 1))
    return tuple(part_name(part) for part in named)


def role_of(names: FileNames, delivery: Delivery, name: str) -> FileRole | None:
    """What a file called *name* is of *delivery*; None where it is none of its files, and would be left lying."""
    if names.control is not None and name == filled(names.control, delivery):
        return "control"
    if pattern_of(names.part, delivery).fullmatch(name):
        return "part"
    if names.correction is not None and pattern_of(names.correction, delivery).fullmatch(name):
        return "correction"
    return None


def any_period(template: str) -> re.Pattern[str]:
    """The pattern of the same name in any period, to tell a file of a wrong one from a stray one."""
    return re.compile(template.replace("{delivery}", r"[0-9Q-]+").replace("{yyyymm}", r"\d{6}"), re.ASCII)


def is_plain(name: str) -> bool:
    """Whether a name can be one of a file that we take: no control characters, no separators, no half characters."""
    return bool(name) and not any(unicodedata.category(sign) in {"Cc", "Cs"} or sign in "/\\" for sign in name)


def common_form(name: str) -> str:
    """What is left of a name when its form is taken away.

    Composed or decomposed accents, full-width letters and digits, upper and lower case, invisible characters, zeros
    before a number.
    """
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf")
    folded = unicodedata.normalize("NFKC", plain.casefold())
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", folded).replace(" ", "")


def part_name(group: str | None) -> str:
    """What a part is called in landing, by the group ``part`` of its file's name: by its number, or by its name."""
    if group is None:
        return "file"
    return f"part{int(group):04d}" if group.isascii() and group.isdigit() else f"part-{group}"
