"""Which lines of a log go when a landed object is purged, and which stay."""

from __future__ import annotations

import json
from pathlib import Path

from threegaps.feed_run.log_lines import Named, remove_lines

PLAIN = """2026-06-01T10:00:00Z [info] test/wages: landed 2 objects
2026-06-01T10:00:01Z [error] [test/wages, wages_202606.csv] The columns are not those of the contract
Traceback (most recent call last):
  File "x.py", line 1
threegaps.errors.FeedError: new column 33990019900101001X
2026-06-01T10:00:02Z [info] test/wages 2026-06: batch 41 received 60 rows
2026-06-01T10:00:02Z [info] test/wages 2026-06: landed object 7 is wages_202606.csv, 9 bytes
2026-06-01T10:00:03Z [info] test/wages 2026-06: batch 410 received 60 rows
2026-06-01T10:00:04Z [info] other/wages_202606.csv.gz landed
"""


def test_lines_that_name_the_file_or_the_batch_go_with_what_follows_them(tmp_path: Path) -> None:
    log = tmp_path / "scheduler.log"
    log.write_text(PLAIN, encoding="utf-8")
    before = log.stat().st_ino
    named = Named(7, [41], ["wages_202606.csv"])
    removed = remove_lines([tmp_path, tmp_path / "missing"], named, hides_errors=False)
    lines = PLAIN.splitlines(keepends=True)
    assert removed == 6
    assert log.read_text(encoding="utf-8") == "".join([lines[0], *lines[7:]])
    assert log.stat().st_ino == before, "a program that writes to it goes on writing to it"


def events(path: Path, *texts: str) -> None:
    """A task's log; what begins with an exclamation mark is an error."""
    records = [{"level": "error" if text.startswith("!") else "info", "event": text} for text in texts]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def kept(path: Path) -> list[str]:
    return [json.loads(line)["event"] for line in path.read_text("utf-8").splitlines()]


def test_of_a_task_that_judged_several_batches_only_the_errors_of_the_meant_one_go(tmp_path: Path) -> None:
    attempt, other = tmp_path / "run_id=1" / "attempt=1.log", tmp_path / "run_id=2" / "attempt=1.log"
    file = "table.csv"
    before = ["!started badly", "test/rows 2026-05: batch 40 judges landed objects 6.", f"!40 of {file}"]
    meant = ["test/rows 2026-06: batch 41 judges landed objects 7.", f"read {file}", "!cannot read it"]
    after = ["test/rows 2026-07: batch 42 judges landed objects 8.", f"read {file}", f"![file {file}] no header"]
    events(attempt, *before, *meant, "nothing of it", *after)
    events(other, f"test/rows 2026-08: landed object 70 is {file}, 3 bytes.", f"![file {file}] no header")
    named = Named(7, [41], ["window.0001.7.csv"], [file])
    assert remove_lines([tmp_path], named, hides_errors=True) == len(meant)
    assert kept(attempt) == [*before, "nothing of it", *after]
    assert len(kept(other)) == 2


def test_an_error_after_a_batch_is_loaded_is_not_of_it(tmp_path: Path) -> None:
    log = tmp_path / "attempt=1.log"
    own = [
        "test/rows 2026-05: landed object 7 is table.csv, 3 bytes.",
        "test/rows 2026-06: batch 41 judges landed objects 7.",
        "!of the meant one",
        "test/rows 2026-06: batch 41 received 3 rows: 2 accepted",
    ]
    others = ["!Batch 42 of 2026-07 was stopped by rule x", "!another one's, of table.csv"]
    events(log, *own, *others)
    assert remove_lines([tmp_path], Named(7, [41], [], ["table.csv"]), hides_errors=True) == len(own)
    assert kept(log) == others


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("batch 41\n", encoding="utf-8")
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.log").symlink_to(outside)
    assert remove_lines([folder], Named(7, [41], []), hides_errors=True) == 0
    assert outside.read_text(encoding="utf-8") == "batch 41\n"
