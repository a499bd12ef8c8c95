"""Which platform a feed comes from."""

from __future__ import annotations

from difflib import get_close_matches

from pydantic import field_validator

from threegaps.contracts.options.base import Option, Text
from threegaps.contracts.platforms import PLATFORMS, Platform


class SourcePlatform(Option):
    """The platform of the plan whose records the feed has.

    Args:
        name: Its code in `contracts/platforms.py`, which has its name and the clause of the plan.
        basis_zh: Why its records are taken to be these.
        is_assumed: Whether that is our reading, where the plan names the platform and not its records.
    """

    name: Text
    basis_zh: Text
    is_assumed: bool = False

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in PLATFORMS:
            near = get_close_matches(name, PLATFORMS, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(PLATFORMS)}"
            raise ValueError(f"{name!r} is no platform of the plan; {meant}")
        return name

    @property
    def platform(self) -> Platform:
        """What the plan says of it."""
        return PLATFORMS[self.name]
