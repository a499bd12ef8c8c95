"""Whether rows of a delivery that was sent again are gone, as loads count it, beside the rows that stand in truth."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Any

import pytest

from tests.integration.warehouse.conftest import WAGES, Loader
from tests.integration.warehouse.test_load import wage
from threegaps.ledger.batches import GONE_FROM_ROWS
from threegaps.watch import reading_ledger
from threegaps.watch.looks import batches

pytestmark = pytest.mark.integration

MONTH = "2026-06"
WHOLE = frozenset(range(100))


@pytest.fixture
def june(loader: Loader) -> Loader:
    loader.connection.execute(
        "insert into ops.feed (feed, delivery_kind, first_day, title_zh, title_en, connection_id, cadence, due_day)"
        " values (%s, 'full_period', '2026-01-01', '', '', 'c', 'month', '20')",
        [WAGES.feed],
    )
    return loader


def send(loader: Loader, employers: Collection[int], pay: str = "1", **options: Any) -> int:
    """Load a sending of these employers; its batch."""
    loader.load(WAGES, MONTH, [wage(f"E{number:03}", pay) for number in sorted(employers)], **options)
    return loader.last_batch().batch_id


def gone(loader: Loader) -> str | None:
    """What the watch says of the month; None where it has nothing to say."""
    found = batches.rows_gone(reading_ledger.read(loader.connection).sent_again, [], {})
    return found[0].title_en if found else None


def says(loader: Loader, rows: int, before: int = 100) -> bool:
    return f"{rows} of {before} rows of {MONTH} are no longer there" in (gone(loader) or "")


def test_rows_are_back_when_they_are_back_and_not_when_others_change(june: Loader) -> None:
    send(june, WHOLE)
    others = frozenset(range(50, 150))
    send(june, others)
    assert says(june, 50)
    send(june, others, pay="2")
    assert says(june, 50), "to mend other rows brings none back"
    send(june, frozenset(range(60, 160)), pay="3")
    assert says(june, 60), "what a further sending takes away is gone too"
    send(june, frozenset(range(160)))
    assert gone(june) is None


def test_what_a_correction_brings_back_counts_and_what_it_adds_does_not(june: Loader) -> None:
    send(june, WHOLE)
    send(june, frozenset(range(20, 120)))
    assert says(june, 20)
    send(june, frozenset(range(120, 140)), is_whole=False)
    send(june, frozenset(range(20, 140)))
    assert says(june, 20), "the correction's rows are new, and the next sending has them only"
    send(june, frozenset(range(20)), is_whole=False)
    send(june, frozenset(range(140)))
    assert gone(june) is None


def test_a_sending_that_is_judged_again_says_what_it_said(june: Loader) -> None:
    send(june, WHOLE)
    cut = send(june, frozenset(range(20, 120)))
    again = send(june, frozenset(range(20, 120)), supersedes=cut)
    assert says(june, 20)
    back = send(june, frozenset(range(120)))
    assert gone(june) is None
    send(june, frozenset(range(120)), supersedes=back)
    assert gone(june) is None
    assert again > cut


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_well_while_rows_are_gone(june: Loader, seed: int) -> None:
    chance = random.Random(seed)
    standing, ever, newest = set(range(40)), set(range(40)), 40
    last = send(june, standing)
    for step in range(8):
        is_whole = step % 4 != 3
        gone_before = sorted(ever - standing)
        brought = set(chance.sample(gone_before, chance.randint(0, len(gone_before))))
        brought |= set(range(newest, newest := newest + chance.randint(0, 8)))
        kept = set(chance.sample(sorted(standing), len(standing) - chance.randint(0, 8)))
        sent = kept | brought if is_whole else brought | set(chance.sample(sorted(standing), 5))
        if not sent:
            continue
        last = send(june, sent, pay=str(chance.randint(1, 2)), is_whole=is_whole)
        if is_whole and chance.random() < 0.3:
            last = send(june, sent, pay="3", supersedes=last)
        ever |= sent
        standing = {int(name[1:]) for name, is_closed in june.rows(WAGES, "employer", "_withdrawn") if not is_closed}
        assert gone(june) or len(ever - standing) < GONE_FROM_ROWS, (step, len(ever - standing))
