"""What unit tests of several parts share."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest


@pytest.fixture
def usual_field_limit() -> Iterator[None]:
    """The limit of a csv field as Python sets it: packages that read tables raise it for their whole process."""
    before = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(before)
