"""Data Docs of a batch: its landed objects are judged once more, in memory, and nothing is loaded."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from threegaps.contracts.loader import find_contract
from threegaps.errors import SettingsError
from threegaps.feed_run.loading import part_of, previous_of
from threegaps.feed_run.opening import warehouse_of
from threegaps.landing.store import LandingStore
from threegaps.ledger import batches
from threegaps.ledger.landed import landed_of_batch
from threegaps.rules.frames import RECEIVED
from threegaps.settings import Settings


@dataclass(frozen=True, slots=True)
class BatchDocs:
    """What has been written of a batch.

    Args:
        page: The first page.
        rows: The rows that Great Expectations judged: all, or a sample of a large batch.
        received: The rows of the batch.
        is_same_contract: The batch was judged by the contract of now.
    """

    page: Path
    rows: int
    received: int
    is_same_contract: bool


def document(batch_id: int, folder: Path) -> BatchDocs:
    """Write Great Expectations' Data Docs of a batch to *folder*, by the contract and code of now.

    Raises:
        LedgerError: There is no such batch.
        SettingsError: The folder is not empty.
        FeedError: The landed bytes are gone, by retention or on order, or cannot be decoded.
        CertificationError: Great Expectations raised an exception.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is not an empty folder.", advice="name a new one.")
    settings = Settings.load()
    with warehouse_of(settings, None) as connection:
        batch = batches.get_batch(connection, batch_id)
        contract = find_contract(settings.contracts_folder, batch.feed)
        objects = [landed for landed in landed_of_batch(connection, batch_id) if landed.is_judged]
        before = batches.previous_batch(connection, batch_id)
        previous = None if before is None else previous_of(connection, contract, before, is_whole=batch.is_whole)
    if all(landed.is_replay for landed in objects):
        # A few repaired rows are no delivery.
        contract = replace(contract, batch_rules=())
    # Heavy imports wait until there is something to judge.
    from threegaps.batch.data_docs import write_data_docs
    from threegaps.batch.judge import Judgement
    from threegaps.batch.pseudonym import PseudonymKey

    store = LandingStore(settings.landing_uri)
    judgement = Judgement(
        contract,
        [part_of(store, contract, landed) for landed in objects],
        batch_id=batch_id,
        delivery=batch.delivery,
        key=PseudonymKey(secrets.token_bytes(32), "none"),  # what it makes is thrown away
        previous=previous,
    )
    for _ in judgement.blocks():
        pass  # nothing is loaded
    judged = judgement.judged_frames()
    page = write_data_docs(contract, f"batch {batch_id}, {batch.delivery}", judged, folder)
    rows = max((part.frame.height for part in judged if part.tokens is not None), default=0)
    received = int(judged[-1].frame[RECEIVED][0])
    return BatchDocs(page, rows, received, contract.hash == batch.contract_hash)
