from __future__ import annotations

import pytest

from sandbox import population as module
from sandbox.population import Population


@pytest.fixture(scope="session")
def population() -> Population:
    """The default province."""
    return module.generate(0.0005, 20250527)
