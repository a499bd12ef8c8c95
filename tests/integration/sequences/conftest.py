"""The warehouse that sequences run in, the one that is built anew, and landing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Warehouses
from tests.integration.sequences import small_contracts
from tests.integration.sequences.scene import Scene
from threegaps.batch.certify import Certifier
from threegaps.feed_run import loading, opening, rebuilding


@pytest.fixture(scope="module")
def scene(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    root = tmp_path_factory.mktemp("sequences")
    contracts = small_contracts.write_contracts(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THREEGAPS_ROOT", str(root))
        # What these tests are not about, and what takes most of a small load's time: certifying, reading contracts.
        patch.setattr(Certifier, "certify", lambda *_: frozenset())
        patch.setattr(opening, "find_contract", lambda _, feed: contracts[feed])
        patch.setattr(loading, "find_contract", lambda _, feed: contracts[feed])
        patch.setattr(rebuilding, "load_contracts", lambda _: tuple(contracts.values()))
        yield Scene(root, warehouses.new(), warehouses.new(), contracts)
