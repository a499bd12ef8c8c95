"""What the names of files say of them: which delivery, which part, and what of the delivery is not among them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

from threegaps.calendar import Delivery, deliveries_between
from threegaps.contracts.model import Contract
from threegaps.contracts.options.deliveries import QuietFiles
from threegaps.contracts.options.sources import FileDropSource, SftpSource
from threegaps.file_check.codes import INCOMPLETE_CODE, NAME_CODE
from threegaps.file_check.findings import Finding
from threegaps.sources.control_file import MOST_BYTES, MOST_PARTS, understood
from threegaps.sources.names import FileRole, expected_parts, part_name, pattern_of, role_of
from threegaps.translations import in_both

Roles = Mapping[Path, FileRole | None]
_MOST_NAMED = 10


def deliveries_of(contract: Contract, paths: Sequence[Path], day: dt.date) -> list[Delivery]:
    """The deliveries that all these files can be of by their names, in order, up to the one that *day* is in.

    Of a feed that does not come in files these are all.
    """
    last = Delivery.containing(contract.cadence, day)
    known = deliveries_between(contract.cadence, contract.first_delivery, last.key)
    return [delivery for delivery in known if all(roles_of(contract, delivery, paths).values())]


def roles_of(contract: Contract, delivery: Delivery, paths: Sequence[Path]) -> Roles:
    """What each file is of the delivery; None where it is none of its files."""
    source = contract.source
    if not isinstance(source, SftpSource | FileDropSource):
        return dict.fromkeys(paths, "part")
    return {path: role_of(source.files, delivery, path.name) for path in paths}


def misnamed(delivery: Delivery, roles: Roles) -> list[Finding]:
    """The files that the pipeline would leave lying: nothing of the delivery is called so."""
    advice_zh, advice_en = in_both("name it as agreed, or say which delivery it is of with --delivery.")
    return [
        Finding(
            code=NAME_CODE,
            action="refuse",
            message_zh=f"文件名不是{delivery.key}这一期应有的名称,系统不会取走该文件",
            message_en=f"The file's name is none that delivery {delivery.key} has: it would be left lying.",
            file=path.name,
            advice_zh=advice_zh,
            advice_en=advice_en,
        )
        for path, role in roles.items()
        if role is None
    ]


def lacking(contract: Contract, delivery: Delivery, roles: Roles) -> list[Finding]:
    """What the delivery would wait for, were these its only files; nothing where corrections alone are sent.

    Raises:
        FeedError: The control file is not understood.
    """
    source = contract.source
    if not isinstance(source, SftpSource | FileDropSource) or set(roles.values()) <= {"correction", None}:
        return []
    pattern = pattern_of(source.files.part, delivery)
    matches = [found for path, role in roles.items() if role == "part" and (found := pattern.fullmatch(path.name))]
    there = {part_name(match.groupdict().get("part")) for match in matches}
    announced = {int(count) for match in matches if (count := match.groupdict().get("parts"))}
    waits: list[str] = []
    expected: set[str] = set()
    if isinstance(contract.completeness, QuietFiles):
        expected = set(expected_parts(contract.completeness))
    elif source.files.control is not None:
        control = next((path for path, role in roles.items() if role == "control"), None)
        if control is None:
            waits.append("the control file")
        else:
            with control.open("rb") as file:
                announced.add(understood(contract, control.name, file.read(MOST_BYTES + 1)).parts)
    if len(announced) == 1:
        # A name may announce any number; a control file none above this.
        expected = {part_name(str(number)) for number in range(1, min(announced.pop(), MOST_PARTS) + 1)}
    missing = sorted(expected - there)
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        waits.append(f"parts {', '.join(missing[:_MOST_NAMED])}{more}")
    return [_waits_for(what) for what in waits]


def _waits_for(what: str) -> Finding:
    zh, en = in_both(f"The delivery waits for {what}.")
    return Finding(code=INCOMPLETE_CODE, action="wait", message_zh=zh, message_en=en)
