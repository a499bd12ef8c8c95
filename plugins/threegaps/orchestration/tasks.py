"""What the DAGs' tasks do. Everything heavy is imported inside the task, never when a DAG file is read.

An error that trying again cannot mend (a broken contract, a file that makes no sense) fails the task at once; what may
pass (a department that does not answer, a database that restarts) is left to Airflow's retries.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from threegaps.calendar import Cadence, Delivery
from threegaps.errors import (
    BuildError,
    CertificationError,
    ContractError,
    FeedError,
    LedgerError,
    ReleaseError,
    SettingsError,
    SourceUnavailableError,
)

log = logging.getLogger("threegaps")

_NOT_MENDED_BY_WAITING = (
    BuildError,
    CertificationError,
    ContractError,
    FeedError,
    LedgerError,
    ReleaseError,
    SettingsError,
)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors that waiting does not mend into failures without retries, said in one line."""
    try:
        yield
    except SourceUnavailableError:
        raise
    except _NOT_MENDED_BY_WAITING as error:
        raise AirflowFailException(str(error)) from error


def land(feed: str, cadence: Cadence, partition_key: str | None) -> None:
    """Fetch what the feed's department has up to the delivery; what has landed already is left alone.

    Raises:
        AirflowFailException: The run carries no delivery, or what came cannot be used.
    """
    with plain_errors():
        delivery = Delivery.parse(cadence, partition_key).key
        from threegaps import feed_run

        landed = feed_run.land(feed, delivery)
    if landed:
        log.info("%s: %d objects landed for deliveries up to %s.", feed, len(landed), delivery)
    else:
        log.info("%s: the department has nothing new up to delivery %s.", feed, delivery)


def load(feed: str, cadence: Cadence, partition_key: str | None) -> None:
    """Judge and load what has landed up to the delivery, one batch a delivery.

    Raises:
        AirflowSkipException: There was nothing to load: no event is sent, and the feed shows as late once it is due.
        AirflowFailException: The run carries no delivery, or a batch cannot be judged.
    """
    with plain_errors():
        delivery = Delivery.parse(cadence, partition_key).key
        from threegaps import feed_run

        batches = feed_run.load(feed, delivery)
    if not batches:
        raise AirflowSkipException(f"{feed}: nothing new to load up to delivery {delivery}.")
    log.info("%s: %d batches up to delivery %s: `threegaps batches --feed %s`.", feed, len(batches), delivery, feed)
