"""A feed run: land what a department offers, then load it; and what an engineer runs besides.

None of the steps needs an Airflow context: addresses come from connections, the delivery is given. Each may be run
again at any time: what has been done already is left alone.
"""

from threegaps.feed_run.attempting import Run
from threegaps.feed_run.documenting import BatchDocs, document
from threegaps.feed_run.expected import enter_expected
from threegaps.feed_run.landing import land
from threegaps.feed_run.loading import accept, accept_for_next_load, counts_of, judge_again, load
from threegaps.feed_run.pausing import decide
from threegaps.feed_run.purging import Purged, purge
from threegaps.feed_run.rebuilding import Rebuilt, rebuild
from threegaps.feed_run.replaying import Replayed, replay

__all__ = [
    "BatchDocs",
    "Purged",
    "Rebuilt",
    "Replayed",
    "Run",
    "accept",
    "accept_for_next_load",
    "counts_of",
    "decide",
    "document",
    "enter_expected",
    "judge_again",
    "land",
    "load",
    "purge",
    "rebuild",
    "replay",
]
