"""What the DAGs' tasks do. Everything heavy is imported inside the task, never when a DAG file is read.

An error that trying again cannot mend (a broken contract, a file that makes no sense) fails the task at once; what may
pass (a department that does not answer, a database that restarts) is left to Airflow's retries.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    AirflowTaskTimeout,
)

from threegaps.calendar import Cadence, Delivery
from threegaps.errors import (
    BuildError,
    CertificationError,
    ContractError,
    FeedError,
    ReleaseError,
    SettingsError,
    SourceUnavailableError,
    StillBeingWrittenError,
    ThreeGapsError,
    UnexpectedError,
    kind_of,
)
from threegaps.standards.visible import log_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from threegaps.contracts.model import Contract

log = log_of("threegaps")

# An event is read by people and stays: the first run of a feed of many years may load hundreds.
_MOST_BATCHES = 100

_PROBE_SECONDS = 15.0
_PART_SECONDS = 90.0
_COPIES_SECONDS = 1800.0

ANSWERS_AGAIN = "answers_again__"
"""How the names of runs begin of feeds whose department lets us in again."""

LOOK_AGAIN_AFTER = dt.timedelta(minutes=3)

_NOT_MENDED_BY_WAITING = (
    BuildError,
    CertificationError,
    ContractError,
    FeedError,
    ReleaseError,
    SettingsError,
)
# By which a task says how it ends.
_AIRFLOWS_OWN = (AirflowFailException, AirflowRescheduleException, AirflowSkipException)


class FailedForGood(AirflowFailException):
    """Ends a task without retries, for an error that trying again does not mend."""

    def __init__(self, error: ThreeGapsError) -> None:
        super().__init__(str(error))
        self.error = error


def say_cause(context: Context) -> None:
    """Let the last line of a failed task's log be its cause, whole and in plain words, in Chinese and in English.

    For a task's callbacks of failure and retry: Airflow writes the error with its traceback first, and begins a group
    of lines that its page folds up.
    """
    log.info("::endgroup::")
    log.error("%s", cause_in_words(context.get("exception")))


SAY_CAUSE = {"on_failure_callback": say_cause, "on_retry_callback": say_cause}
"""Options of every task: how its log ends when it fails."""


def cause_in_words(error: object) -> str:
    """What a person needs of the error that ended a task: ours in full; of another one nothing but its kind."""
    ours = error.error if isinstance(error, FailedForGood) else error
    if isinstance(ours, ThreeGapsError):
        from threegaps.ledger.attempts import failure_of

        return f"{failure_of(ours).message_zh} | {ours}"
    if isinstance(ours, AirflowTaskTimeout):
        return "运行时间超过任务上限 | The task took longer than it may: look what it waited for, then run it again."
    if ours is None:
        return "任务未能开始,原因见上 | The task could not begin: the lines above say why."
    kind = type(ours).__name__
    return f"未预料的错误({kind}),位置见上 | Something unexpected happened ({kind}): the lines above say where."


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


@contextmanager
def plain_errors(feed: str | None = None) -> Iterator[None]:
    """Turn errors that waiting does not mend into failures without retries, said in one line.

    The others of ours go on, and one of ours stands for those of any library. No cause goes with them: the task's log
    prints causes whole, and a library quotes what it received.
    """
    try:
        yield
    except SourceUnavailableError as error:
        raise error from None
    except _NOT_MENDED_BY_WAITING as error:
        raise FailedForGood(error).with_traceback(error.__traceback__) from None
    except (ThreeGapsError, *_AIRFLOWS_OWN) as error:
        raise error from None
    except Exception as error:  # noqa: BLE001  # whatever it is, its words do not go into the log
        raise UnexpectedError.of(error, feed=feed) from None
    except BaseException as error:
        # A time-out may come while another error is being handled.
        raise error from None


def land(
    feed: str, cadence: Cadence, partition_key: str | None, *, run_id: str | None = None, try_number: int | None = None
) -> None:
    """Fetch what the feed's department has up to the delivery; what has landed already is left alone.

    Args:
        partition_key: The delivery.
        run_id: The run that asks, for the ledger's entry of the attempt.
        try_number: Which try of its task it is, from 1.

    Raises:
        AirflowFailException: The run carries no delivery, or what came cannot be used.
        AirflowRescheduleException: A file may still be being written; the task comes again in some minutes, for as long
            as the run may take, and without using up its retries.
    """
    with plain_errors(feed):
        delivery = Delivery.parse(cadence, partition_key).key
        from threegaps import feed_run

        try:
            landed = feed_run.land(feed, delivery, feed_run.Run(run_id, try_number))
        except StillBeingWrittenError as error:
            log.warning("%s", error)
            raise AirflowRescheduleException(dt.datetime.now(dt.UTC) + LOOK_AGAIN_AFTER) from None
    if landed:
        log.info("%s: landed for deliveries up to %s: %d.", feed, delivery, len(landed))
    else:
        log.info("%s: the department has nothing new up to delivery %s.", feed, delivery)


def load(
    feed: str, cadence: Cadence, partition_key: str | None, *, run_id: str | None = None, try_number: int | None = None
) -> dict[str, Any]:
    """Judge and load what has landed up to the delivery: one batch a sending; arguments as in `land`.

    Returns:
        What the asset event says of it: the delivery, numbers of the batches, and counts of rows.

    Raises:
        AirflowSkipException: There was nothing to load: no event is sent, and the feed shows as late once it is due.
        AirflowFailException: The run carries no delivery, or a batch cannot be judged.
    """
    with plain_errors(feed):
        delivery = Delivery.parse(cadence, partition_key).key
        from threegaps import feed_run

        # It tells of folders that it makes; the log is for what happened to the batch.
        # A filter, since this logger sets its own level when it is imported.
        logging.getLogger("great_expectations.data_context.types.base").addFilter(_is_warning)
        batches = feed_run.load(feed, delivery, feed_run.Run(run_id, try_number))
        counts = feed_run.counts_of(batches)
    if not batches:
        raise AirflowSkipException(f"{feed}: nothing new to load up to delivery {delivery}.")
    log.info(
        "%s: batches up to delivery %s: %d. See `threegaps batches --feed %s`.", feed, delivery, len(batches), feed
    )
    return {"delivery": delivery, "batches": batches[-_MOST_BATCHES:], "batch_count": len(batches), **counts}


def claim(kind: str, as_of: str | None, requested_by: str) -> int | None:
    """Claim the pending work of the ledger; the build's number, or None when there is nothing to do.

    Args:
        kind: `affected` rebuilds what the new batches touch, `full` everything.
        as_of: The day that the build looks from, ISO; by default the last day that any loaded delivery covers.
        requested_by: Who or what asked for it.
    """
    with plain_errors():
        from threegaps.marts import build as marts

        what: Literal["affected", "full"] = "full" if kind == "full" else "affected"
        day = dt.date.fromisoformat(as_of) if as_of else None
        build_id = marts.prepare(kind=what, as_of=day, requested_by=requested_by)
    if build_id is None:
        log.info("Nothing to build: every loaded batch stands in a release already.")
    else:
        log.info("Build %d claimed (%s).", build_id, kind)
    return build_id


def build(build_id: int) -> None:
    """Run dbt for a claimed build; what a failed one had claimed is pending again."""
    # dbt leaves its locks to the end of the process, which a task does not live to see; they are freed, with a warning
    # that would stand in the log as an error.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    with plain_errors():
        from threegaps.marts import build as marts
        from threegaps.orchestration import lineage
        from threegaps.settings import Settings

        try:
            marts.build(build_id)
        finally:
            # Of what failed too: which models did.
            lineage.note_build(Settings.load(), str(build_id))


def release(build_id: int, *, accept_fewer_rows: bool = False) -> None:
    """Check what was built and release the difference; a failing check leaves the last release serving."""
    with plain_errors():
        from threegaps.orchestration import lineage
        from threegaps.release import step

        accepted = ("row_count",) if accept_fewer_rows else ()
        release_id = step.release(build_id, accepted_checks=accepted, tell=lineage.note_release)
    log.info("Release %s serves: `threegaps release show`.", release_id)


def released_since(last_told: int | None) -> dict[str, Any]:
    """What the event of a release says: of all releases after *last_told*, or of the newest alone where it is None.

    Raises:
        AirflowSkipException: There is none, or none has changed an indicator: no event is sent.
    """
    import psycopg

    from threegaps.release.telling import news_since
    from threegaps.settings import Settings

    with plain_errors():
        with psycopg.connect(Settings.load().warehouse_dsn()) as connection:
            news = news_since(connection, last_told)
        if news is None:
            raise AirflowSkipException("No indicator has changed since it was last told.")
    log.info("Release %d: %d indicators have changed.", news["release_id"], news["indicator_count"])
    return news


def work_waits(minutes: int) -> bool:
    """Whether loaded batches have stayed unclaimed for some minutes: an event was lost, or the marts were paused."""
    from threegaps.marts import claim as claims
    from threegaps.settings import Settings

    with plain_errors():
        return claims.has_unclaimed(Settings.load().warehouse_dsn(), minutes=minutes)


def put_in_order(stale_build_minutes: int) -> None:
    """Do what of the upkeep is done anew each time: each part by itself, in its own time, whatever another one does.

    Args:
        stale_build_minutes: When a build that has not ended is taken for dead.

    Raises:
        ThreeGapsError: Parts have failed. The log says each with its cause, and this is that of the first.
    """
    do_each(
        (
            ("end dead builds", lambda: fail_stale_builds(stale_build_minutes)),
            ("mark attempts that were cut off", mark_cut_off_attempts),
            ("enter what feeds owe", enter_expected),
            ("end readers' overlong transactions", end_overlong_readers),
            ("put back readers' logins", restore_reader_logins),
        )
    )


def do_each(parts: Iterable[tuple[str, Callable[[], None]]], *, seconds: float = _PART_SECONDS) -> None:
    """Do every part, each for *seconds* at most; the log says those that fail, and the first is raised."""
    from threegaps.watch.deadlines import DeadlineError, deadline

    errors: list[BaseException] = []
    for name, part in parts:
        try:
            with deadline(seconds):
                part()
        except DeadlineError:
            errors.append(AirflowTaskTimeout(name))
        except Exception as error:  # noqa: BLE001  # raised below
            errors.append(error)
        else:
            continue
        log.error("Could not %s: %s", name, cause_in_words(errors[-1]))
    # Another try may mend what is no `FailedForGood`.
    if errors:
        raise min(errors, key=lambda one: isinstance(one, FailedForGood))


def fail_stale_builds(minutes: int) -> None:
    """Free what builds had claimed whose process is gone: it is pending again."""
    from threegaps.marts import claim as claims
    from threegaps.settings import Settings

    with plain_errors():
        failed = claims.fail_stale(Settings.load().warehouse_dsn(), minutes=minutes)
    if failed:
        log.warning("Builds %s did not end; their claims are free again.", ", ".join(map(str, failed)))


def mark_cut_off_attempts() -> None:
    """Mark attempts to land or load whose process was killed."""
    import psycopg

    from threegaps.ledger.attempts import mark_cut_off
    from threegaps.settings import Settings

    with plain_errors(), psycopg.connect(Settings.load().warehouse_dsn(), autocommit=True) as connection:
        for feed, step, number in mark_cut_off(connection):
            log.warning("%s: attempt %d to %s was cut off.", feed, number, step)


def feeds_that_answer_again(minutes: int) -> list[dict[str, str]]:
    """Feeds whose department did not let us in when it was tried last, and does so now.

    A feed that comes once a month would otherwise be tried again a month later.

    Args:
        minutes: How long a feed is left alone whose run of this kind failed: there we had been let in, too.

    Returns:
        For each the DAG and the run's name: the same as long as nothing has been tried since, so that it runs once.
    """
    import psycopg

    from threegaps.contracts.loader import load_readable
    from threegaps.ledger.attempts import OF_CONNECTIONS, failing_since
    from threegaps.orchestration.names import feed_dag
    from threegaps.settings import Settings

    with plain_errors():
        settings = Settings.load()
        with psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
            failing = failing_since(connection)
        before = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
        last_attempts = {
            one.feed: one.last_attempt_id
            for one in failing
            if one.step == "land"
            and one.cause in OF_CONNECTIONS
            and (one.last_at < before or not (one.run_id or "").startswith(ANSWERS_AGAIN))
        }
        readable, _ = load_readable(settings.contracts_folder)
        contracts = [one for one in readable if one.feed in last_attempts]
        if not contracts:
            return []
        from threegaps.sources.probing import probe_all

        probes = probe_all(contracts, seconds=_PROBE_SECONDS)
    answering = [feed for probe in probes if probe.lets_us_in for feed in probe.feeds]
    for feed in answering:
        log.info("%s: the department's system lets us in again.", feed)
    return [
        {"trigger_dag_id": feed_dag(feed), "trigger_run_id": f"{ANSWERS_AGAIN}{last_attempts[feed]}"}
        for feed in answering
    ]


def late_feeds() -> list[dict[str, str]]:
    """Feeds that owe a delivery, at the moments at which it is looked for; the next look comes under another name.

    Returns:
        For each the DAG and the run's name: the same until the next look is due, so that it runs once.
    """
    import psycopg

    from threegaps.feed_run.late import look_due
    from threegaps.ledger.expected import judged_at, standing
    from threegaps.orchestration.names import feed_dag
    from threegaps.settings import Settings

    with plain_errors(), psycopg.connect(Settings.load().warehouse_dsn(), autocommit=True) as connection:
        now = judged_at(connection)
        looks = {one.feed: look_due(one, now) for one in standing(connection, now)}
    return [
        {"trigger_dag_id": feed_dag(feed), "trigger_run_id": f"late__{look}"}
        for feed, look in looks.items()
        if look is not None
    ]


def without_paused(wanted: list[dict[str, str]], ti: Any) -> list[dict[str, str]]:
    """The runs whose DAG is not paused: of a paused one runs would pile up. A DAG that Airflow does not know is said.

    Args:
        wanted: Runs as `TriggerDagRunOperator` takes them.
        ti: The task that asks.
    """
    found = []
    for run in wanted:
        dag_id = run["trigger_dag_id"]
        try:
            is_paused = ti.get_dag(dag_id).is_paused
        except Exception as error:  # noqa: BLE001  # of one DAG: the others are run
            log.warning("Airflow says nothing of the DAG %s, which is not run: %s", dag_id, kind_of(error))
            continue
        if is_paused:
            log.warning("The DAG %s is paused in Airflow, and is not run.", dag_id)
        else:
            found.append(run)
    return found


def without_busy(wanted: list[dict[str, str]], ti: Any) -> list[dict[str, str]]:
    """The runs of *wanted* whose DAG has none that waits or is under way: a task in it is tried again by itself.

    Args:
        wanted: Runs as `TriggerDagRunOperator` takes them.
        ti: The task that asks.
    """
    return [run for run in wanted if not ti.get_dr_count(run["trigger_dag_id"], states=["queued", "running"])]


def end_overlong_readers() -> None:
    """End the sessions of readers whose transactions do not end by themselves."""
    import psycopg

    from threegaps.access.overlong import end_overlong
    from threegaps.settings import Settings

    with plain_errors(), psycopg.connect(Settings.load().warehouse_dsn(), autocommit=True) as connection:
        ended = end_overlong(connection)
    if ended:
        log.warning("%d sessions of readers had held a transaction for too long; they are ended.", ended)


def restore_reader_logins() -> None:
    """Put back passwords and settings that readers have changed of their own logins."""
    import psycopg

    from threegaps.access.restoring import restore_changed
    from threegaps.settings import Settings

    with plain_errors(), psycopg.connect(Settings.load().warehouse_dsn(), autocommit=True) as connection:
        restored, left = restore_changed(connection)
    if restored:
        log.warning("Logins were changed by those who use them, and are as given again: %s.", ", ".join(restored))
    if left:
        log.warning("Logins are not as given, and need `threegaps reader renew`: %s.", ", ".join(left))


def enter_expected() -> None:
    """Enter what every feed owes, some months ahead: the watch and the pages know of it by the ledger alone."""
    from threegaps.feed_run.expected import enter_expected as enter
    from threegaps.settings import Settings

    with plain_errors():
        enter(Settings.load())


def end_old_copies() -> None:
    """Delete landed copies that are older than their contract's retention; their hashes and counts stay.

    THREEGAPS_LANDING_RETENTION_DAYS may shorten it, but not below the two years of the law.

    Raises:
        AirflowFailException: The variable is no number of days.
    """
    import psycopg

    from threegaps.calendar import today
    from threegaps.contracts.loader import load_readable
    from threegaps.contracts.retention import copies_end_before
    from threegaps.landing.store import LandingStore
    from threegaps.settings import SHANGHAI, Settings

    with plain_errors():
        settings = Settings.load()
        store = LandingStore(settings.landing_uri)
        contracts, unread = load_readable(settings.contracts_folder)
        most_days = settings.landing_retention_days

    def end_of(contract: Contract) -> None:
        day = copies_end_before(contract, today(), at_most_days=most_days)
        with plain_errors(contract.feed), psycopg.connect(settings.warehouse_dsn(), autocommit=True) as connection:
            ended = store.end_copies(connection, contract.feed, dt.datetime.combine(day, dt.time(), SHANGHAI))
        log.info("%s: %d copies from before %s ended.", contract.feed, ended, day)

    def fail(error: ContractError) -> None:
        with plain_errors():
            raise error

    # What one feed's contract or store refuses keeps no other feed's copies for longer.
    parts = [(contract.feed, partial(end_of, contract)) for contract in contracts]
    parts += [(feed, partial(fail, error)) for feed, error in unread.items()]
    do_each([(f"end old copies of {feed}", part) for feed, part in parts], seconds=_COPIES_SECONDS)
