"""What each indicator is made of, as the last release knew it: the ledger keeps it, and a figure is explained by it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

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
    found = inputs_of_all(connection, [code])
    if code not in found:
        raise ReleaseError(
            f"The ledger does not know yet what {code} is made of.",
            advice="the next release notes it: `threegaps build --full` makes one.",
        )
    return found[code]


def inputs_of_all(connection: psycopg.Connection[Any], codes: Collection[str] | None = None) -> dict[str, Inputs]:
    """What indicators of the last release are made of, by their codes, as far as the ledger knows.

    Args:
        connection: The warehouse.
        codes: The indicators; all without.
    """
    found: dict[str, Inputs] = {}
    rows = connection.cursor(row_factory=dict_row).execute(
        "select * from ops.indicator_input where %(codes)s::text[] is null or indicator_code = any(%(codes)s)"
        " order by indicator_code",
        {"codes": None if codes is None else list(codes)},
    )
    for row in rows:
        inputs = found.setdefault(row["indicator_code"], Inputs({}, []))
        if row["kind"] == "feed":
            inputs.reach[row["name"]] = Reach(row["first_month"], row["last_month"], row["is_everywhere"])
        else:
            inputs.nodes.append(row["name"])
    return found
