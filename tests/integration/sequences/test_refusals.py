"""A refused row of a feed of changes: mended at the source, it comes with a later window, and nothing waits."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.faults.conftest import point_at
from tests.integration.sequences import small_contracts
from tests.integration.sequences.model import Model, Row
from tests.integration.sequences.scene import Scene
from tests.integration.sequences.test_sequences import Run, open_refusals
from threegaps import feed_run

pytestmark = pytest.mark.integration

FEED = small_contracts.CHANGES
WRONG = Row("a", "2026-01", "none", 1)


def refused(dsn: str) -> list[tuple[int, int | None]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select batch_id, closed_by_batch_id from quarantine.refused_row order by batch_id, row_number"
        ).fetchall()


@pytest.mark.parametrize(
    ("later", "closed_by"),
    [
        (Row("a", "2026-01", "7", 2), 2),
        (Row("a", "2026-01", "7", 2, True), 2),
        (Row("b", "2026-01", "7", 2), None),
        (Row("a", "2026-01", "none", 2), None),
    ],
    ids=["mended", "withdrawn", "another key", "as wrong as before"],
)
def test_a_later_window_settles_what_it_mends(scene: Scene, later: Row, closed_by: int | None) -> None:
    scene.clear()
    run = Run(scene, FEED, "changes", Model("changes", 0.5, 10))
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, scene.dsn, scene.landing)
        run._send("", ((WRONG, Row("c", "2026-01", "1", 1)),), 0)
        run.load()
        run._send("", ((later,),), 0)
        run.load()
        assert refused(scene.dsn)[0] == (1, closed_by)
        with psycopg.connect(scene.dsn) as connection:
            kept = connection.execute("select key_hash, row_data::text from quarantine.refused_row").fetchall()
        assert all(len(key_hash) == 32 for key_hash, _ in kept)
        point_at(patch, scene.anew, scene.landing)
        list(feed_run.rebuild())
    assert open_refusals(scene.anew) == open_refusals(scene.dsn)
