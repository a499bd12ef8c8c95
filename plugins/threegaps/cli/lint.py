"""The contract check of `make lint`: every contract below `expectations/`, every fault in a line of its own."""

from __future__ import annotations

import sys

from threegaps.settings import Settings
from threegaps.standards import visible


def main() -> int:
    """Check all contracts; 1 when something is wrong with one."""
    from threegaps.contracts.directory import check_related
    from threegaps.contracts.lint import lint_contract
    from threegaps.contracts.loader import SUFFIX, load_contracts, load_documents, unread
    from threegaps.errors import ContractError

    folder = Settings.load().contracts_folder
    paths = sorted(folder.glob("*/*.odcs.yaml"))
    faults = [f"{path.relative_to(folder)}: {fault}" for path in paths for fault in lint_contract(path)]
    faults += [f"{path}: not read: a contract is expectations/<department>/<feed>{SUFFIX}" for path in unread(folder)]
    if not faults:
        try:
            load_contracts(folder)
            check_related(load_documents(folder))
        except ContractError as contradiction:
            faults.append(f"{folder.name}: {contradiction}")
    for fault in faults:
        visible.say(str(fault), is_error=True)
    visible.say(f"{len(paths)} contracts, {len(faults)} faults")
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
