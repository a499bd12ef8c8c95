"""What the tests of a release share."""

from __future__ import annotations

import pytest

from tests.integration.release.small_marts import make_build_schema


@pytest.fixture
def marts(warehouse: str) -> str:
    """A warehouse with the schema of a small build, of which nothing is released yet."""
    make_build_schema(warehouse)
    return warehouse
