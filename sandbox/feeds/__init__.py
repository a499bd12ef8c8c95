"""The departments' feeds: `<department>/<feed>.py`, one module a feed, each with its `FEED`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from sandbox.feeds.model import Feed, Table


@cache
def every() -> tuple[Feed, ...]:
    """All feeds that have a module, in order of their names."""
    found: list[Feed] = []
    for department in pkgutil.iter_modules(__path__):
        if not department.ispkg:
            continue
        package = import_module(f"{__name__}.{department.name}")
        for module in pkgutil.iter_modules(package.__path__):
            feed: Feed = import_module(f"{package.__name__}.{module.name}").FEED
            if feed.name != f"{department.name}/{module.name}":
                raise ValueError(f"{module.name} in {department.name} calls itself {feed.name}")
            found.append(feed)
    return tuple(sorted(found, key=lambda feed: feed.name))


@cache
def senders() -> tuple[tuple[Feed, ...], ...]:
    """All feeds by what they are sent as: those of one workbook together, any other by itself."""
    together: dict[str, list[Feed]] = {}
    for feed in every():
        together.setdefault(feed.sent_as, []).append(feed)
    return tuple(tuple(found) for found in together.values())


def tables(department: str) -> dict[str, Table]:
    """Tables of a department's database by name; none when it has no database."""
    return {
        feed.medium.name: feed.medium
        for feed in every()
        if isinstance(feed.medium, Table) and feed.department == department
    }
