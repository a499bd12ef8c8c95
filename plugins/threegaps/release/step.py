"""The last step of a refresh as the DAG's task calls it: check, and serve the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from threegaps.errors import ReleaseError
from threegaps.marts import claim, dbt_runner
from threegaps.marts.lock import held_by_builder
from threegaps.marts.manifest import ServedTable
from threegaps.release import apply, checks, marks, served
from threegaps.settings import Settings
from threegaps.standards.visible import log_of

log = log_of("threegaps")


def release(
    build_id: int,
    *,
    settings: Settings | None = None,
    accepted_checks: Iterable[str] = (),
    tell: Callable[[Sequence[ServedTable]], None] | None = None,
) -> int:
    """Check what was built and serve the difference; the release's number. May be repeated after a lost answer.

    Args:
        build_id: A build that is built.
        settings: Where the warehouse is.
        accepted_checks: Names of checks whose findings someone has looked at and accepts.
        tell: Called once it serves, with the relations whose rows it changed.

    Raises:
        ReleaseError: A check failed: the last release goes on serving and the build is failed with the reasons.
    """
    settings = settings or Settings.load()
    dsn = settings.warehouse_dsn()
    manifest = dbt_runner.parse_project(settings)
    with held_by_builder(dsn) as connection:
        done = connection.execute(
            "select b.status, r.release_id, b.shows_exact_cells from ops.build as b"
            " left join ops.release as r using (build_id) where b.build_id = %s",
            [build_id],
        ).fetchone()
        if done is not None and done[0] == "released":
            return int(done[1])
        if done is None or done[0] != "built":
            raise ReleaseError(
                f"Build {build_id} is {done[0] if done else 'unknown'}, not built.", advice="claim and build again."
            )
        # A demonstration shows what the checks of rounding and of rows are there to find, and far more cells than what
        # comes after.
        accepted = {
            *accepted_checks,
            *(("rounded", "rows") if done[2] else ()),
            *(("row_count",) if marks.serves_demonstration(connection) != bool(done[2]) else ()),
        }
        findings = checks.findings(connection, manifest, accepted=frozenset(accepted))
        if findings:
            message = "; ".join(findings)
            claim.fail(connection, build_id, message, "check")
            raise ReleaseError(
                f"Build {build_id} is not released: {message}.",
                advice="the last release goes on serving; see docs/runbook.md.",
            )
        # Only what may be released changes anything that readers see.
        served.apply_served(dsn, manifest, is_synthetic=settings.is_sandbox)
        outcome = apply.apply_build(connection, manifest, build_id)
    log.info(
        "Release %d: %d rows new, %d changed, %d removed.",
        outcome.release_id,
        outcome.inserted,
        outcome.changed,
        outcome.removed,
    )
    if tell is not None:
        tell(outcome.written)
    return outcome.release_id
