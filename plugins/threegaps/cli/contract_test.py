"""The check of `make contract-test`: our contracts in the hands of another tool of their standard.

``datacontract`` (the Data Contract CLI) lints each contract as written, in full and as it stands in the warehouse, and
holds the raw table against the last. It has an environment of its own: its packages are others than the pipeline's.
Where the warehouse is, it has from our settings by environment variables; no file holds an address or a secret.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threegaps.errors import SettingsError, ThreeGapsError
from threegaps.settings import Settings
from threegaps.standards import visible

# For one document; of many together so many times as much.
_SECONDS = 300
# The tool's own library on many documents: its program starts for seconds, and there are three documents a contract.
_LINT = """
import json, sys
from datacontract.data_contract import DataContract
for path in sys.argv[1:]:
    run = DataContract(data_contract_file=path, all_errors=True).lint()
    reasons = [check.reason for check in run.checks if check.result not in ("passed", "info", "skipped")]
    print("VERDICT", json.dumps([run.has_passed(), "\\n".join(map(str, reasons))]), flush=True)
"""
_VARIABLES = {"host": "HOST", "port": "PORT", "dbname": "DATABASE", "user": "USERNAME", "password": "PASSWORD"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tool answered.

    Args:
        is_right: Whether it found nothing wrong.
        answer: Its own words.
    """

    is_right: bool
    answer: str


def tool_path(settings: Settings) -> Path:
    """Where the tool is installed.

    Raises:
        SettingsError: It is not there.
    """
    named = settings.text("THREEGAPS_DATACONTRACT")
    path = Path(named) if named else settings.root / ".venv-contracts" / "bin" / "datacontract"
    if not path.is_file():
        raise SettingsError(
            "The Data Contract CLI is not installed.",
            advice="run `make contract-test`, or name its program in THREEGAPS_DATACONTRACT.",
        )
    return path


def lint_documents(tool: Path, documents: Sequence[Mapping[str, Any] | Path]) -> list[Verdict]:
    """What the tool has against each document, a contract's file or what stands in none.

    Raises:
        SettingsError: The tool's own Python is not beside it, or it broke off.
    """
    python = tool.parent / "python"
    if not python.is_file():
        raise SettingsError(
            "The Data Contract CLI has no Python of its own beside it.",
            advice="name the program in the environment that it is installed in in THREEGAPS_DATACONTRACT.",
        )
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            document if isinstance(document, Path) else _write(document, Path(folder) / str(place))
            for place, document in enumerate(documents)
        ]
        done = _run([str(python), "-c", _LINT, *map(str, paths)], {}, seconds=_SECONDS * len(paths))
        lines = [line.partition("VERDICT ") for line in done.stdout.splitlines()]
        said = [json.loads(verdict) for before, mark, verdict in lines if mark and not before]
    if done.returncode != 0 or len(said) != len(paths):
        raise SettingsError(
            f"The Data Contract CLI broke off: {done.stderr.strip()[-2000:]}",
            advice="remove .venv-contracts and run `make contract-test`.",
        )
    return [Verdict(is_right, answer) for is_right, answer in said]


def check_table(tool: Path, form: Mapping[str, Any], dsn: str) -> Verdict:
    """What the tool finds in the raw table that a form describes.

    Args:
        tool: The tool's program.
        form: A contract's form in the warehouse.
        dsn: The warehouse.
    """
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(dsn)
    variables = {f"DATACONTRACT_POSTGRES_{name}": str(parts[key]) for key, name in _VARIABLES.items() if key in parts}
    with tempfile.TemporaryDirectory() as folder:
        done = _run([str(tool), "test", str(_write(form, Path(folder)))], variables)
    return Verdict(done.returncode == 0, f"{done.stdout}{done.stderr}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the named feeds, by default all; 1 when something is wrong with one."""
    parser = argparse.ArgumentParser(prog="python -m threegaps.cli.contract_test", description=__doc__)
    parser.add_argument("feeds", nargs="*", help="by default all")
    parser.add_argument("--lint", action="store_true", help="do not ask the warehouse")
    given = parser.parse_args(arguments)
    settings = Settings.load()
    try:
        return 1 if _check(settings, given.feeds, is_table_tested=not given.lint) else 0
    except ThreeGapsError as error:
        visible.say(str(error), is_error=True)
        return 1


def _check(settings: Settings, feeds: Iterable[str], *, is_table_tested: bool) -> int:
    """Say what is found feed by feed; how many have a fault."""
    from threegaps.contracts.expanded import expand
    from threegaps.contracts.loader import SUFFIX, find_contract, load_contracts
    from threegaps.contracts.warehouse_form import warehouse_form

    tool = tool_path(settings)
    root = settings.contracts_folder
    contracts = [find_contract(root, feed) for feed in feeds] or load_contracts(root)
    forms = [warehouse_form(contract) for contract in contracts]
    linted = iter(
        lint_documents(
            tool,
            [
                document
                for contract, form in zip(contracts, forms, strict=True)
                for document in (root / f"{contract.feed}{SUFFIX}", expand(contract), form)
            ],
        )
    )
    faulty = 0
    for contract, form in zip(contracts, forms, strict=True):
        verdicts = {name: next(linted) for name in ("contract", "contract in full", "form in the warehouse")}
        if is_table_tested:
            verdicts["raw table"] = check_table(tool, form, settings.warehouse_dsn())
        for name, verdict in verdicts.items():
            visible.say(f"{contract.feed}: {name}: {'right' if verdict.is_right else 'WRONG'}")
            if not verdict.is_right:
                visible.say(str(verdict.answer))
        faulty += not all(verdict.is_right for verdict in verdicts.values())
    return faulty


def _write(document: Mapping[str, Any], folder: Path) -> Path:
    from threegaps.contracts.expanded import as_yaml

    folder.mkdir(exist_ok=True)
    path = folder / "contract.odcs.yaml"
    path.write_text(as_yaml(document), encoding="utf-8")
    return path


def _run(
    command: list[str], variables: Mapping[str, str], *, seconds: int = _SECONDS
) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATACONTRACT_", "PYTHON"))
    }
    try:
        return subprocess.run(
            command,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise SettingsError(
            f"The Data Contract CLI did not end within {seconds} s.",
            advice="name fewer feeds, or see what it waits for.",
        ) from None


if __name__ == "__main__":
    sys.exit(main())
