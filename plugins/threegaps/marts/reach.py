"""How far a change of an input reaches: declared on the edges of dbt's graph, composed along them to the indicators.

A model names in its ``meta.reach`` the models that it reads, and for each the periods and areas of its own rows that a
row of the other may matter in. From a feed to an indicator the months of the edges add up; what reaches every later
period or every area goes on doing so; where several ways lead from the one to the other, they count together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from threegaps.errors import BuildError

AS_OF = "as_of"
"""Stands among the inputs for the passing of days: what the feeds cover, and the date of the build."""
EVERY_FEED = "*"
"""Stands for the feed of a source that every feed adds to, as to the ledger's batches."""
KINDS = frozenset({"same", "shift", "window", "all_later"})


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one input reaches.

    Args:
        first_month: Months from the touched one to the first affected one; negative is earlier, None every earlier one.
        last_month: Months from the touched one to the last affected one; None is every later period.
        is_everywhere: A touch in one county may matter in any.
    """

    first_month: int | None
    last_month: int | None
    is_everywhere: bool

    @classmethod
    def of(cls, declared: Mapping[str, Any], *, model: str) -> Reach:
        """Read one entry of ``meta.reach``.

        Raises:
            BuildError: The declaration makes no sense.
        """
        kind = declared.get("kind")
        months = declared.get("months", [0, 0])
        if (
            kind not in KINDS
            or len(months) != 2
            or not all(isinstance(month, int) for month in months)
            or months[0] > months[1]
            or declared.get("areas", "same") not in {"same", "all"}
        ):
            raise BuildError(
                f"Model {model} declares a reach that makes no sense: {dict(declared)}.",
                advice="write {kind: same|shift|window|all_later, months: [earliest, latest], areas: same|all}.",
            )
        return cls(
            first_month=int(months[0]),
            last_month=None if kind == "all_later" else int(months[1]),
            is_everywhere=declared.get("areas", "same") == "all",
        )

    def then(self, step: Reach) -> Reach:
        """The way of *self* and, from where it ends, *step*."""
        return Reach(
            _sum(self.first_month, step.first_month),
            _sum(self.last_month, step.last_month),
            self.is_everywhere or step.is_everywhere,
        )

    def together_with(self, other: Reach) -> Reach:
        """The narrowest that holds both."""
        firsts, lasts = (self.first_month, other.first_month), (self.last_month, other.last_month)
        return Reach(
            None if None in firsts else min(month for month in firsts if month is not None),
            None if None in lasts else max(month for month in lasts if month is not None),
            self.is_everywhere or other.is_everywhere,
        )


SAME = Reach(0, 0, is_everywhere=False)
"""The same period and area."""
SAME_EVERYWHERE = Reach(0, 0, is_everywhere=True)
"""The same period of every area."""
WHOLE = Reach(None, None, is_everywhere=True)
"""Everything: where an input of which nothing is declared may matter."""


def composed(manifest: Mapping[str, Any]) -> dict[str, dict[str, Reach]]:
    """For each indicator model of dbt's *manifest*, by its unique id, how far each feed reaches, and ``as_of``.

    On an edge without a declaration a row matters in everything. Two kinds of models need none: the staging of a feed,
    whose rows are the feed's own, and an indicator whose own step is to the same period and area. A source of every
    feed (``*``) is touched by each. What the feeds cover matters in each indicator for the same periods of all areas,
    since there are only cells of periods that they cover.

    Raises:
        BuildError: A declaration makes no sense, or is of a model that is not read.
    """
    nodes: Mapping[str, Mapping[str, Any]] = manifest["nodes"]
    sources: Mapping[str, Mapping[str, Any]] = manifest.get("sources", {})
    feed_of = {unique_id: str(feed) for unique_id, source in sources.items() if (feed := meta_of(source).get("feed"))}
    feeds = sorted(set(feed_of.values()) - {EVERY_FEED})

    @cache
    def reaches(unique_id: str) -> Mapping[str, Reach]:
        if unique_id in sources:
            feed = feed_of.get(unique_id)
            return dict.fromkeys(feeds if feed == EVERY_FEED else [feed] if feed else [], SAME)
        node = nodes.get(unique_id)
        if node is None or node["resource_type"] != "model":
            return {}
        found: dict[str, Reach] = {}
        for name, reach in (*_own_steps(node), *read(node)):
            found[name] = reach.together_with(found.get(name, reach))
        return found

    def read(node: Mapping[str, Any]) -> Iterator[tuple[str, Reach]]:
        parents = {parent.split(".")[-1]: parent for parent in _parents(node)}
        steps = declared(node)
        if strangers := sorted(steps.keys() - parents.keys() - {AS_OF}):
            raise BuildError(
                f"Model {node['name']} declares the reach of what it does not read: {', '.join(strangers)}.",
                advice="name in meta.reach the models in its refs, or as_of.",
            )
        undeclared = SAME if _needs_no_declaration(node) else WHOLE
        for name, parent in parents.items():
            for origin, reach in reaches(parent).items():
                yield origin, reach.then(steps.get(name, undeclared))

    result = {}
    for unique_id, node in nodes.items():
        if node["resource_type"] == "model" and "indicator" in meta_of(node):
            found = dict(reaches(unique_id))
            found[AS_OF] = SAME_EVERYWHERE.together_with(found.get(AS_OF, SAME_EVERYWHERE))
            result[unique_id] = found
    return result


def declared(node: Mapping[str, Any]) -> dict[str, Reach]:
    """The entries of a node's ``meta.reach``, by the model that is read.

    Raises:
        BuildError: One makes no sense.
    """
    entries: Mapping[str, Any] = meta_of(node).get("reach") or {}
    return {str(name): Reach.of(entry, model=str(node["name"])) for name, entry in entries.items()}


def meta_of(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ``meta`` of a node, a source or a column of dbt's manifest."""
    meta: Mapping[str, Any] = node.get("config", {}).get("meta") or node.get("meta") or {}
    return meta


def _own_steps(node: Mapping[str, Any]) -> Iterator[tuple[str, Reach]]:
    own = declared(node).get(AS_OF)
    if own is not None:
        yield AS_OF, own


def _needs_no_declaration(node: Mapping[str, Any]) -> bool:
    return "indicator" in meta_of(node) or [*node.get("fqn", ())][1:2] == ["staging"]


def _parents(node: Mapping[str, Any]) -> list[str]:
    return list(node.get("depends_on", {}).get("nodes", ()))


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
