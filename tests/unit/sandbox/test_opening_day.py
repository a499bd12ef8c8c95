"""The day on which a new sandbox stands, as the environment says it."""

from __future__ import annotations

from datetime import date

import pytest

from sandbox.calendar import opening_day


def test_a_day_that_is_none_names_the_setting() -> None:
    assert opening_day("2026-12-31") == date(2026, 12, 31)
    for wrong in ("2026-13-01", "June", "2026"):
        with pytest.raises(SystemExit, match="THREEGAPS_SANDBOX_OPENING_DAY"):
            opening_day(wrong)
