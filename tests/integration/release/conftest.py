"""What the tests of a release share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.release.small_marts import make_build_schema, small_manifest
from threegaps.release.served import apply_served


@pytest.fixture(scope="module")
def served(warehouses: Any) -> str:
    """A warehouse with all that readers see, of which nothing is released: what a module does there stays."""
    dsn = str(warehouses.new())
    apply_served(dsn, small_manifest())
    return dsn


@pytest.fixture
def marts(warehouse: str) -> str:
    """A warehouse with the schema of a small build, of which nothing is released yet."""
    make_build_schema(warehouse)
    return warehouse
