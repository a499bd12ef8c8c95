"""The kinds by their expectation: every module of `threegaps.rules.kinds` has one, `KIND`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from threegaps.rules import kinds
from threegaps.rules.model import RuleKind


def _found() -> dict[str, RuleKind]:
    names = sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))
    every = [import_module(f"{kinds.__name__}.{name}").KIND for name in names]
    return {kind.expectation: kind for kind in every}


KINDS: Mapping[str, RuleKind] = _found()
"""Every kind that a contract may name."""
