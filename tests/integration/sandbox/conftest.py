from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.generate import run
from sandbox.parameters import Parameters


@pytest.fixture(scope="session")
def dirty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sandbox with ten per cent of its rows dirty."""
    home = tmp_path_factory.mktemp("sandbox")
    run(home, Parameters(scale=0.0005, dirt=0.1, truth=False))
    return home
