"""The first two steps of a refresh as the DAG's tasks call them: prepare and build; `release.step` is the third."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from typing import Any

import psycopg

from threegaps.contracts.loader import load_contracts
from threegaps.errors import BuildError, ThreeGapsError, kind_of
from threegaps.marts import claim, dbt_runner
from threegaps.marts.dbt_runner import ActionOutcome
from threegaps.marts.lock import held_by_builder
from threegaps.settings import Settings
from threegaps.standards.visible import log_of
from threegaps.warehouse.tables import ensure_tables

log = log_of("threegaps")


def prepare(
    requested_by: str, kind: claim.Kind = "affected", as_of: dt.date | None = None, *, settings: Settings | None = None
) -> int | None:
    """Claim pending work; the build's number, or None when there is nothing to do.

    Raises:
        BuildError: Another build is running, or the dbt project cannot be parsed.
        LedgerError: The ledger has a schema version that this code does not know.
        SettingsError: Exact cells are to be shown of real departments.
    """
    settings = settings or Settings.load()
    manifest = dbt_runner.parse_project(settings)
    with held_by_builder(settings.warehouse_dsn()) as connection:
        build_id = claim.claim(
            connection,
            manifest,
            requested_by=requested_by,
            kind=kind,
            as_of=as_of,
            shows_exact_cells=settings.shows_exact_cells,
        )
        if build_id is not None:
            _say_claim(connection, build_id)
    return build_id


def build(build_id: int, *, settings: Settings | None = None) -> None:
    """Make everything that readers will see in schema ``build``.

    May be repeated: a build whose process was killed is taken over, as long as no other claim has come between.

    Raises:
        BuildError: A model or test failed, or the build is not ours to run; its claims are pending again.
    """
    settings = settings or Settings.load()
    with held_by_builder(settings.warehouse_dsn()) as connection:
        kind = _take(connection, build_id)
        try:
            # A feed of which nothing has come yet has no rows, but the models read its table.
            for contract in load_contracts(settings.contracts_folder):
                ensure_tables(connection, contract)
            _run_dbt(connection, settings, build_id, full_refresh=kind == "full")
            connection.execute("update ops.build set status = 'built' where build_id = %s", [build_id])
        except psycopg.OperationalError:
            # The warehouse is gone: nothing can be written down now. Whoever comes next finds the lock free.
            raise
        except Exception as error:
            claim.fail(connection, build_id, str(error) if isinstance(error, ThreeGapsError) else kind_of(error))
            raise


def _take(connection: psycopg.Connection[Any], build_id: int) -> str:
    row = connection.execute(
        "update ops.build set status = 'running' where build_id = %s and status in ('claimed', 'running')"
        " returning kind",
        [build_id],
    ).fetchone()
    if row is None:
        state = connection.execute("select status, message from ops.build where build_id = %s", [build_id]).fetchone()
        known = f"is {state[0]}{f' ({state[1]})' if state[1] else ''}" if state else "is unknown"
        raise BuildError(f"Build {build_id} {known}.", advice="claim again; `threegaps build` does.")
    connection.execute("delete from ops.build_action where build_id = %s", [build_id])
    return str(row[0])


def _run_dbt(connection: psycopg.Connection[Any], settings: Settings, build_id: int, *, full_refresh: bool) -> None:
    outcomes = dbt_runner.run_build(settings, name=str(build_id), full_refresh=full_refresh)
    record_outcomes(connection, build_id, outcomes)
    failed = [message for outcome in outcomes for message in outcome.messages]
    if failed:
        raise BuildError(
            f"{len(failed)} models or tests failed: {'; '.join(failed[:5])}",
            advice=f"read dbt/invocations/{build_id}/log/dbt.log in the runtime home.",
        )


def record_outcomes(connection: psycopg.Connection[Any], build_id: int, outcomes: Iterable[ActionOutcome]) -> None:
    """Add the outcome of each action to ``ops.build_action``; a failure that was there stays."""
    for outcome in outcomes:
        connection.execute(
            "insert into ops.build_action as a (build_id, action, status, models, failures, message)"
            " values (%s, %s, %s, %s, %s, %s) on conflict (build_id, action) do update set"
            " status = case when a.status = 'failed' then a.status else excluded.status end,"
            " models = a.models + excluded.models, failures = a.failures + excluded.failures,"
            " message = nullif(concat_ws('; ', a.message, excluded.message), '')",
            [
                build_id,
                outcome.action,
                outcome.status,
                outcome.models,
                outcome.failures,
                "; ".join(outcome.messages) or None,
            ],
        )
        log.log(
            logging.ERROR if outcome.failures else logging.INFO,
            "Build %d, %s: %s, %d models%s",
            build_id,
            outcome.action,
            outcome.status,
            outcome.models,
            "".join(f"\n  {message}" for message in outcome.messages),
        )


def _say_claim(connection: psycopg.Connection[Any], build_id: int) -> None:
    row = connection.execute(
        "select b.kind, b.as_of, (select count(*) from ops.build_input where build_id = b.build_id),"
        " (select count(distinct indicator_code) from ops.affected where build_id = b.build_id)"
        " from ops.build as b where b.build_id = %s",
        [build_id],
    ).fetchone()
    if row is not None:
        log.info("Build %d (%s, as of %s): %d batches, %d indicators affected.", build_id, *row)
