"""The command `check`: a department's own look at a file before it sends it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from threegaps.cli.options import Json
from threegaps.errors import FeedError, SettingsError

if TYPE_CHECKING:
    from threegaps.calendar import Delivery
    from threegaps.contracts.model import Contract
    from threegaps.file_check import FileFindings, Finding

EXIT_CODES = {"fine": 0, "rows_refused": 3, "no_rows": 3, "not_loaded": 4, "waits": 5}
"""What `threegaps check` ends with; 1 and 2 are of commands that could not do what they were asked."""
_PLACES_SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("check")(check)


def check(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="The files of one delivery, as they are sent."),
    ],
    feed: Annotated[
        str | None, typer.Option(help="The feed that they are of, written department/name; a contract's by default.")
    ] = None,
    delivery: Annotated[
        str | None, typer.Option(help="The delivery, like 2026-06; by default what the names of the files say.")
    ] = None,
    contract_file: Annotated[
        Path | None,
        typer.Option("--contract", exists=True, dir_okay=False, help="The feed's contract, where none is installed."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write the rows that would be refused, to .xlsx or .csv.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write the report over a file that is there.")] = False,
    json_: Json = False,
) -> None:
    """Check files before they are sent: all faults of all rows in one pass, without warehouse, Airflow or key.

    Ends with 0 where all rows would be taken, 3 where some would be refused or there is none, 4 where nothing would be
    loaded, 5 where the rest of the delivery is not among the files.
    """
    from threegaps.cli.output import console, print_json
    from threegaps.contracts.loader import find_contract, load_contract
    from threegaps.file_check import check_files
    from threegaps.returned import check_target
    from threegaps.settings import Settings

    settings = Settings.load()
    for file in files:
        if not file.is_file():
            raise SettingsError(f"{file.name} is no file that can be read to its end.", advice="copy it to one.")
    if contract_file is not None:
        contract = load_contract(contract_file)
    elif feed is not None:
        contract = find_contract(settings.contracts_folder, feed)
    else:
        raise SettingsError("It is not said of which feed the files are.", advice="say --feed or --contract.")
    if feed not in {None, contract.feed}:
        raise SettingsError(f"The contract is of {contract.feed}.", advice=f"say --feed {contract.feed}.")
    if report is not None:
        check_target(report, force=force, inputs=files)
    found = check_files(contract, files, _delivery(contract, files, delivery))
    # What was found is said before the report is written, which may fail.
    if json_:
        print_json(found.as_data())
    else:
        _show(found)
    if report is not None:
        _write_report(contract, found, report)
        if not json_:
            console.print(f"{len(found.rows):,} of {found.refused_rows:,} rows written to {report}", soft_wrap=True)
    raise typer.Exit(EXIT_CODES[found.outcome])


def _delivery(contract: Contract, files: Sequence[Path], key: str | None) -> Delivery:
    from threegaps.calendar import Delivery, today
    from threegaps.file_check.names import deliveries_of

    if key is not None:
        return Delivery.parse(contract.cadence, key)
    found = deliveries_of(contract, files, today())
    if len(found) != 1:
        raise FeedError(
            "The names of the files do not say of which one delivery they are.",
            feed=contract.feed,
            file=files[0].name,
            advice="say it with --delivery, and look whether the files are named as agreed.",
        )
    return found[0]


def _write_report(contract: Contract, found: FileFindings, path: Path) -> None:
    from threegaps.file_check.checking import WHERE
    from threegaps.returned import Returned, write_file

    about = [("数据期", found.delivery), ("文件", "、".join(found.files))]
    if len(found.rows) < found.refused_rows:
        about.append(("未列出的行", f"{found.refused_rows - len(found.rows)}(超过每个报告的上限)"))
    # Nobody can tell of a file what it is of: its department knows.
    write_file(path, Returned(contract, WHERE, found.rows, is_synthetic=False, about=about))


def _show(found: FileFindings) -> None:
    from threegaps.cli.output import both, console, pair, print_rows
    from threegaps.standards.visible import one_line

    console.print(f"{found.feed} {found.delivery}, contract {found.contract_version}, files: {len(found.files)}")
    for finding in found.findings:
        if finding.rule is None:
            of = f" {one_line(finding.file)}" if finding.file else ""
            console.print(f"{finding.code}{of}: {both(finding.message_zh, finding.message_en)}", soft_wrap=True)
            if finding.advice_en:
                advice = both(finding.advice_zh, finding.advice_en)
                console.print(f"{pair('怎么办', 'what to do')}: {advice}", soft_wrap=True)
    rows = [
        {
            "code": finding.code,
            "rule": finding.rule,
            "header": finding.header,
            "message_zh": finding.message_zh,
            "message_en": finding.message_en,
            "action": finding.action,
            "rows": finding.count,
            "lines": _places(finding, found.files),
        }
        for finding in found.findings
        if finding.rule is not None
    ]
    if rows:
        print_rows(rows, dispensable=("rule",))
    if found.counts is not None:
        counts = found.counts
        console.print(
            f"rows: received {counts.received:,}, accepted {counts.accepted:,}, refused {counts.refused:,},"
            f" duplicates {counts.duplicates:,}"
        )
    said = {
        "fine": ("全部可以载入", "all rows would be taken"),
        "waits": ("该期到齐后全部可以载入", "all rows would be taken once the delivery is whole"),
        "no_rows": ("文件中没有数据行", "there is no row"),
        "rows_refused": ("有行会被拒收", "some rows would be refused"),
        "not_loaded": ("整批不会载入", "nothing would be loaded"),
    }
    console.print(pair(*said[found.outcome]))


def _places(finding: Finding, files: Sequence[str]) -> str:
    """The first places of a finding, as a person finds them in the file."""
    from threegaps.standards.visible import one_line

    shown = []
    for place in finding.places[:_PLACES_SHOWN]:
        sheet = f"{place.sheet}!" if place.sheet is not None else ""
        file = f"{one_line(place.file)}:" if len(files) > 1 else ""
        shown.append(f"{file}{sheet}{place.seen}")
    # Of a rule that only warns no row is kept.
    return ", ".join(shown) + (" …" if shown and finding.count > _PLACES_SHOWN else "")
