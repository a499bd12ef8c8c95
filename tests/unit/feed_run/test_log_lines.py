"""Which lines of a log go when a landed object is purged, and which stay."""

from __future__ import annotations

import json
from pathlib import Path

from threegaps.feed_run.log_lines import remove_lines

PLAIN = """2026-06-01T10:00:00Z [info] test/wages: landed 2 objects
2026-06-01T10:00:01Z [error] [test/wages, wages_202606.csv] The columns are not those of the contract
Traceback (most recent call last):
  File "x.py", line 1
threegaps.errors.FeedError: new column 33990019900101001X
2026-06-01T10:00:02Z [info] test/wages 2026-06: batch 41 received 60 rows
2026-06-01T10:00:03Z [info] test/wages 2026-06: batch 410 received 60 rows
2026-06-01T10:00:04Z [info] other/wages_202606.csv.gz landed
"""


def test_lines_that_name_the_file_or_the_batch_go_with_what_follows_them(tmp_path: Path) -> None:
    log = tmp_path / "scheduler.log"
    log.write_text(PLAIN, encoding="utf-8")
    before = log.stat().st_ino
    removed = remove_lines(
        [tmp_path, tmp_path / "missing"], file_names=["wages_202606.csv"], batch_ids=[41], hides_errors=False
    )
    lines = PLAIN.splitlines(keepends=True)
    assert removed == 5
    assert log.read_text(encoding="utf-8") == "".join([lines[0], *lines[6:]])
    assert log.stat().st_ino == before, "a program that writes to it goes on writing to it"


def test_every_error_of_a_task_that_judged_the_batch_goes(tmp_path: Path) -> None:
    attempt = tmp_path / "run_id=1" / "attempt=1.log"
    other = tmp_path / "run_id=2" / "attempt=1.log"
    records = [
        {"level": "info", "event": "test/wages 2026-06: batch 41 received 1 rows"},
        {"level": "error", "event": "Task failed", "error_detail": [{"exc_value": "cannot read 33990019900101001X"}]},
        {"level": "info", "event": "nothing of it"},
    ]
    for path, number in ((attempt, 41), (other, 42)):
        path.parent.mkdir()
        texts = [json.dumps(record).replace("batch 41", f"batch {number}") + "\n" for record in records]
        path.write_text("".join(texts), encoding="utf-8")
    assert remove_lines([tmp_path], file_names=[], batch_ids=[41], hides_errors=True) == 2
    assert [json.loads(line)["event"] for line in attempt.read_text("utf-8").splitlines()] == ["nothing of it"]
    assert len(other.read_text("utf-8").splitlines()) == 3


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("batch 41\n", encoding="utf-8")
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.log").symlink_to(outside)
    assert remove_lines([folder], file_names=[], batch_ids=[41], hides_errors=True) == 0
    assert outside.read_text(encoding="utf-8") == "batch 41\n"
