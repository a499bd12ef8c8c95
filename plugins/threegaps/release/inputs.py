"""What each indicator is made of, as the last release knew it: the ledger keeps it, and a figure is explained by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.errors import ReleaseError
from threegaps.marts.manifest import Manifest
from threegaps.marts.reach import Reach


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an indicator is made of.

    Args:
        reach: How far each feed reaches, and ``as_of``.
        nodes: Names of the models and seeds that it stands downstream of, itself among them.
    """

    reach: dict[str, Reach]
    nodes: list[str]


def note_inputs(connection: psycopg.Connection[Any], manifest: Manifest) -> None:
    """Keep what the indicators of *manifest* are made of, instead of what stood there."""
    connection.execute("delete from ops.indicator_input")
    with connection.cursor().copy("copy ops.indicator_input from stdin") as copy:
        for row in _rows(manifest):
            copy.write_row(row)


def _rows(manifest: Manifest) -> Iterator[tuple[object, ...]]:
    for indicator in manifest.indicators:
        for feed, reach in indicator.reach.items():
            yield indicator.code, "feed", feed, reach.first_month, reach.last_month, reach.is_everywhere
    for name in {str(node["name"]) for node in manifest.nodes.values()}:
        for code in manifest.indicators_fed_by([name]):
            yield code, "node", name, None, None, None


def inputs_of(connection: psycopg.Connection[dict[str, Any]], code: str) -> Inputs:
    """What the indicator *code* of the last release is made of.

    Args:
        connection: One whose rows are dictionaries.
        code: An indicator that is served.

    Raises:
        ReleaseError: No release since the ledger keeps it has said.
    """
    rows = connection.execute("select * from ops.indicator_input where indicator_code = %s", [code]).fetchall()
    if not rows:
        raise ReleaseError(
            f"The ledger does not know yet what {code} is made of.",
            advice="the next release notes it: `threegaps build --full` makes one.",
        )
    return Inputs(
        {
            row["name"]: Reach(row["first_month"], row["last_month"], row["is_everywhere"])
            for row in rows
            if row["kind"] == "feed"
        },
        [row["name"] for row in rows if row["kind"] == "node"],
    )
