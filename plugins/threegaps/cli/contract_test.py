"""The check of `make contract-test`: our contracts in the hands of another tool of their standard.

``datacontract`` (the Data Contract CLI) lints each contract as written, in full and as it stands in the warehouse, and
holds the raw table against the last. It has an environment of its own: its packages are others than the pipeline's.
Where the warehouse is, it has from our settings by environment variables; no file holds an address or a secret.
"""

from __future__ import annotations

import argparse
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

_SECONDS = 300
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
    named = settings.environment.get("THREEGAPS_DATACONTRACT")
    path = Path(named) if named else settings.root / ".venv-contracts" / "bin" / "datacontract"
    if not path.is_file():
        raise SettingsError(
            "The Data Contract CLI is not installed.",
            advice="run `make contract-test`, or name its program in THREEGAPS_DATACONTRACT.",
        )
    return path


def lint(tool: Path, contract: Path) -> Verdict:
    """What the tool has against a contract's file."""
    return _run([str(tool), "lint", "--all-errors", str(contract)], {})


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
        return _run([str(tool), "test", str(_write(form, Path(folder)))], variables)


def lint_document(tool: Path, document: Mapping[str, Any]) -> Verdict:
    """What the tool has against a document that stands in no file."""
    with tempfile.TemporaryDirectory() as folder:
        return lint(tool, _write(document, Path(folder)))


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
        sys.stderr.write(f"{error}\n")
        return 1


def _check(settings: Settings, feeds: Iterable[str], *, is_table_tested: bool) -> int:
    """Say what is found feed by feed; how many have a fault."""
    from threegaps.contracts.expanded import expand
    from threegaps.contracts.loader import SUFFIX, find_contract, load_contracts
    from threegaps.contracts.warehouse_form import warehouse_form

    tool = tool_path(settings)
    root = settings.contracts_folder
    contracts = [find_contract(root, feed) for feed in feeds] or load_contracts(root)
    faulty = 0
    for contract in contracts:
        form = warehouse_form(contract)
        verdicts = {
            "contract": lint(tool, root / f"{contract.feed}{SUFFIX}"),
            "contract in full": lint_document(tool, expand(contract)),
            "form in the warehouse": lint_document(tool, form),
        }
        if is_table_tested:
            verdicts["raw table"] = check_table(tool, form, settings.warehouse_dsn())
        for name, verdict in verdicts.items():
            sys.stdout.write(f"{contract.feed}: {name}: {'right' if verdict.is_right else 'WRONG'}\n")
            if not verdict.is_right:
                sys.stdout.write(f"{verdict.answer}\n")
        faulty += not all(verdict.is_right for verdict in verdicts.values())
    return faulty


def _write(document: Mapping[str, Any], folder: Path) -> Path:
    from threegaps.contracts.expanded import as_yaml

    path = folder / "contract.odcs.yaml"
    path.write_text(as_yaml(document), encoding="utf-8")
    return path


def _run(command: list[str], variables: Mapping[str, str]) -> Verdict:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATACONTRACT_", "PYTHON"))
    }
    done = subprocess.run(
        command,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    return Verdict(done.returncode == 0, f"{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
