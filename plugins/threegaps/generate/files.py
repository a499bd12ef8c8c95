"""Every generated file of the project: what it should hold, whether it does, and writing it."""

from __future__ import annotations

from pathlib import Path

from threegaps.contracts.document import ContractDocument
from threegaps.contracts.loader import SUFFIX, load_contracts, read_document
from threegaps.contracts.model import Contract
from threegaps.generate import (
    catalogue,
    caveats,
    connections,
    feed_labels,
    feed_seeds,
    marts,
    options,
    plan_departments,
    staging,
)

ONLY_GENERATED = (staging.FOLDER,)
"""Folders that hold nothing else: what lies there and follows from nothing is out of date."""


def generated(root: Path) -> dict[Path, str]:
    """Every generated file of the project at *root*, by its path below *root*.

    Raises:
        ContractError: A contract cannot be read.
        ValueError: An indicator's model does not fit the catalogue of indicators, or a file has no marks for its part.
    """
    contracts = load_contracts(root / "expectations")
    files = staging.render(contracts) | marts.render(root) | options.render() | connections.render(root, contracts)
    files |= feed_labels.render(root, contracts)
    indicators = marts.indicator_catalogue(root)
    codes = [row["indicator_code"] for row in indicators]
    files |= feed_seeds.render(root, contracts, marts.indicator_models(root), codes)
    files |= plan_departments.render(root, indicators)
    actions, targets = (marts.read_seed(root, name) for name in ("seed_action", "seed_target"))
    feeds = [(contract, document_of(root, contract)) for contract in contracts]
    carried = plan_departments.plan_departments(root)
    departments = {
        row["indicator_code"]: plan_departments.in_words(carried.of_indicator(row), carried.departments)
        for row in indicators
    }
    return files | catalogue.render(feeds, actions, described_indicators(root), targets, departments)


def described_indicators(root: Path) -> list[dict[str, str]]:
    """The rows of the catalogue of indicators, those too that are not built, with the caveats that methods bring.

    Raises:
        ValueError: An indicator's model does not fit the catalogue.
    """
    steps, methods = (marts.read_seed(root, name) for name in ("seed_contribution_base_step", "seed_method"))
    return caveats.with_base_steps(marts.indicator_catalogue(root), steps, methods)


def outdated(root: Path) -> list[Path]:
    """The files below *root* that are missing, hold something else, or no longer follow from anything."""
    files = generated(root)
    stale = [
        path
        for path, text in files.items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]
    return sorted([*stale, *_left_over(root, files)])


def write(root: Path) -> list[Path]:
    """Bring the generated files below *root* to what they should be; the paths of those that were not."""
    files = generated(root)
    changed = outdated(root)
    for path in changed:
        target = root / path
        if path in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[path], encoding="utf-8")
        else:
            target.unlink()
    return changed


def document_of(root: Path, contract: Contract) -> ContractDocument:
    """A feed's contract as it is written in the project at *root*.

    Raises:
        ContractError: It cannot be read.
    """
    path = root / "expectations" / f"{contract.feed}{SUFFIX}"
    return read_document(path, path.read_bytes())


def _left_over(root: Path, files: dict[Path, str]) -> list[Path]:
    present = [path for folder in ONLY_GENERATED for path in (root / folder).rglob("*") if path.is_file()]
    return [path for path in (file.relative_to(root) for file in present) if path not in files]
