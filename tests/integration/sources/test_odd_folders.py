"""Folders as departments keep them: odd names, odd servers, links, files that are still being copied."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sources.conftest import JUNE, SmallFeed
from tests.integration.sources.odd_folder import (
    CONTROLLED,
    LONG_AGO,
    NAMES,
    PARTS,
    SINGLE,
    at,
    dropped,
    months_in_drop,
    months_on_server,
    put,
    put_name,
    send,
    table,
)
from tests.integration.sources.odd_sftp import OddServer
from tests.integration.sources.small_contract import CSV, FEED
from threegaps import feed_run
from threegaps.errors import FeedError, SettingsError, SourceUnavailableError, StillBeingWrittenError
from threegaps.feed_run import landing

pytestmark = pytest.mark.integration


@pytest.fixture
def odd(feed: SmallFeed, tmp_path: Path) -> Iterator[OddServer]:
    with months_on_server(feed, tmp_path / "server") as server:
        yield server


@pytest.fixture
def drop(feed: SmallFeed, tmp_path: Path) -> Path:
    return months_in_drop(feed, tmp_path / "drop")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between looks: noted instead of waited for."""
    noted: list[float] = []
    monkeypatch.setattr(landing, "time", types.SimpleNamespace(sleep=noted.append))
    return noted


# Case 07: names that are no text.


def test_stray_names_are_passed_over_and_counted(
    feed: SmallFeed, odd: OddServer, caplog: pytest.LogCaptureFixture
) -> None:
    for month in ("202605", "202606"):
        folder = send(odd.root, month, parts=2)
        put_name(folder, "工资表.csv".encode("gbk"))
        put_name(folder, "名\n单.csv".encode())
        put_name(folder, b"\xff\xfe\x00"[:2])
        (folder / "old").mkdir()
        (folder / "rows_link.csv").symlink_to("/etc/hostname")
    with caplog.at_level(logging.INFO, logger="threegaps"):
        feed.run()
    assert len(feed.ids()) == 6
    assert feed.landed() == ["part0001", "part0002", "control"] * 2
    assert "folders: 1, links: 1, names that cannot be read: 3" in caplog.text
    assert "名" not in caplog.text


# Case 08: permissions that do not say what a name stands for.


@pytest.mark.parametrize("long_names", [True, False])
def test_a_kind_that_is_not_said_counts_as_a_file(feed: SmallFeed, odd: OddServer, long_names: bool) -> None:
    odd.long_names = long_names
    odd.change = lambda _, attributes: setattr(attributes, "permissions", 0o666)
    folder = send(odd.root, "202606", parts=2)
    (folder / "old").mkdir()
    feed.run()
    assert len(feed.ids()) == 6


def test_no_link_is_followed_though_nothing_says_that_it_is_one(
    feed: SmallFeed, odd: OddServer, slept: list[float]
) -> None:
    odd.change = lambda _, attributes: setattr(attributes, "permissions", 0o666)
    folder = send(odd.root, "202606")
    part = folder / "rows_202606_part01of01.csv"
    part.rename(folder / "elsewhere.csv")
    part.symlink_to("elsewhere.csv")
    os.utime(part, (LONG_AGO, LONG_AGO), follow_symlinks=False)
    with pytest.raises(FeedError, match="links are not followed"):
        feed.land()


# Case 19: a control file that is not wholly understood.


@pytest.mark.parametrize("control", [b"parts=1 rows=60,000\n", b"parts=1 rows=6 parts=2", b"parts=1 rows=6 sum=9", b""])
def test_a_control_file_that_is_not_understood_is_refused(feed: SmallFeed, odd: OddServer, control: bytes) -> None:
    send(odd.root, "202606", control=control or b"\n")
    with pytest.raises(FeedError, match="control file is not taken") as told:
        feed.run()
    assert told.value.file == "rows_202606.ok"
    assert feed.landed() == []
    send(odd.root, "202606")
    feed.run()
    assert len(feed.ids()) == 6


# Names that differ only in form.


@pytest.mark.parametrize(
    "twin",
    [
        "rows_202606_part1of1.csv",
        "rows_202606_part001of01.csv",
        "ROWS_202606_part01of01.CSV",
        "rows_202606_part０１of01.csv",
        "rows_202606_part01of01.csv\u200b",
    ],
)
def test_names_that_differ_only_in_form_do_not_become_one_part(feed: SmallFeed, odd: OddServer, twin: str) -> None:
    folder = send(odd.root, "202606")
    put(folder / twin, table(6))
    with pytest.raises(FeedError, match="differ only in form") as told:
        feed.land()
    assert told.value.file is not None
    assert feed.landed() == []
    (folder / twin).unlink()
    feed.land()
    assert feed.landed() == ["part0001", "control"]


def test_composed_and_decomposed_names_do_not_become_one_part(feed: SmallFeed, drop: Path) -> None:
    dropped(feed, "r(é|e\u0301)sum(é|e\u0301)_{delivery}\\.csv", SINGLE)
    put(drop / "r\u00e9sum\u00e9_2026-06.csv", table(3))
    put(drop / "re\u0301sume\u0301_2026-06.csv", table(4))
    with pytest.raises(FeedError, match="differ only in form"):
        feed.land()


# Servers that are not the department's, and folders that are not there.


def test_a_host_key_that_is_another_one_is_said_at_once(feed: SmallFeed, odd: OddServer, waits: list[float]) -> None:
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    at(feed, odd, host_key=other, look_for_keys=False)
    with pytest.raises(FeedError, match="host key is not the one") as told:
        feed.land()
    assert not isinstance(told.value, SourceUnavailableError)
    assert "cannot be reached" not in str(told.value)
    at(feed, odd, look_for_keys=False)
    with pytest.raises(FeedError, match="host key is not known here"):
        feed.land()
    assert (odd.logins, waits) == (0, [])
    at(feed, odd, host_key=odd.host_key, look_for_keys=False)
    send(odd.root, "202606")
    feed.land()
    assert feed.landed() == ["part0001", "control"]


@pytest.mark.parametrize("extra", [{"no_host_key_check": True}, {"host_key": "x", "allow_host_key_change": "true"}])
def test_real_departments_are_not_trusted_blindly(
    feed: SmallFeed, odd: OddServer, extra: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREEGAPS_SANDBOX", "0")
    at(feed, odd, **extra)
    with pytest.raises(SettingsError, match="would take any server"):
        feed.land()
    assert odd.logins == 0


def test_a_folder_with_too_many_names_is_refused_and_one_that_is_gone_is_no_delivery_to_wait_for(
    feed: SmallFeed, odd: OddServer
) -> None:
    source = {"protocol": "sftp", "folder": "/rows/{yyyymm}", "files": NAMES, "mostEntries": 5}
    feed.comes_by(source, CONTROLLED, CSV)
    send(odd.root, "202606")
    odd.names = [b"stray%d" % one for one in range(10)]
    with pytest.raises(FeedError, match="more than 5 names"):
        feed.land()
    odd.names = []
    shutil.rmtree(odd.root / "rows")
    with pytest.raises(FeedError, match="has no folder /rows"):
        feed.land()


def test_a_file_that_changes_while_it_is_read_is_not_taken(feed: SmallFeed, odd: OddServer, slept: list[float]) -> None:
    folder = send(odd.root, "202606", rows=200_000)
    part, asked = folder / "rows_202606_part01of01.csv", []

    def growing(name: bytes, _: Any) -> None:
        asked.append(name)
        if asked.count(b"rows_202606_part01of01.csv") == 3:
            with part.open("ab") as file:
                file.write(b"00200001,330106,2026-06-01,2026-06-02 10:00:00\n")

    odd.change = growing
    with pytest.raises(StillBeingWrittenError):
        feed.land()
    assert "part0001" not in feed.landed()


# Case 25: a file that is still being copied.


def test_a_file_that_is_still_being_copied_is_taken_once_it_is_whole(
    feed: SmallFeed, drop: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, whole = drop / "rows_2026-06.csv", table(60)
    put(file, whole[: whole.index(b"\n", 900) + 1], at=time.time())
    with pytest.raises(StillBeingWrittenError, match="left alone"):
        feed.land()
    assert feed.landed() == []
    assert len(slept) == 2
    assert all(0 < wait < 31 for wait in slept)

    def copied(seconds: float) -> None:
        slept.append(seconds)
        put(file, whole, at=time.time() - 31)

    monkeypatch.setattr(landing, "time", types.SimpleNamespace(sleep=copied))
    feed.run()
    assert len(feed.ids()) == 60


def test_a_file_that_has_been_left_alone_is_taken_at_one_look(feed: SmallFeed, drop: Path, slept: list[float]) -> None:
    put(drop / "rows_2026-06.csv", table(3), at=time.time() - 31)
    feed.land()
    assert feed.landed() == ["file"]
    assert slept == []


def test_a_clock_that_is_ahead_of_ours_needs_two_looks(feed: SmallFeed, drop: Path, slept: list[float]) -> None:
    put(drop / "rows_2026-06.csv", table(3), at=time.time() + 3600)
    with pytest.raises(StillBeingWrittenError):
        feed.land()
    assert feed.landed() == []


def test_files_of_several_departments_are_one_delivery(
    feed: SmallFeed, drop: Path, slept: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    dropped(feed, r"(?P<part>[a-z]+)_{yyyymm}\.csv", PARTS, folder="test/{yyyymm}")
    folder = drop / "202606"
    put(folder / "housing_202606.csv", table(3))
    put(folder / "health_202606.csv", table(3, 4))
    with caplog.at_level(logging.INFO, logger="threegaps"):
        feed.run()
    assert feed.ask("select is_complete from ops.batch") == [(False,)]
    assert "waits for the parts part-post" in caplog.text
    put(folder / "post_202606.csv", table(3, 7))
    feed.run()
    assert feed.landed() == ["part-health", "part-housing", "part-post"]
    assert [row[0] for row in feed.ask("select is_complete from ops.batch order by batch_id")] == [False, True]
    assert len(feed.ids()) == 9
    put(folder / "transport_202606.csv", table(3, 10))
    with pytest.raises(FeedError, match="part that the contract does not name"):
        feed.land()


# The drop folder is read without following anything.


def test_only_regular_files_are_read(feed: SmallFeed, drop: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret = drop.parent.parent / "secret.csv"
    put(secret, table(3))
    wanted = drop / "rows_2026-06.csv"
    for make in (
        lambda: wanted.symlink_to(secret),
        lambda: wanted.symlink_to("/proc/self/environ"),
        lambda: os.mkfifo(wanted),
        wanted.mkdir,
    ):
        make()
        with caplog.at_level(logging.INFO, logger="threegaps"):
            feed.land()
        assert feed.landed() == []
        assert "waits for the file rows_2026-06.csv" in caplog.text
        wanted.rmdir() if wanted.is_dir() and not wanted.is_symlink() else wanted.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(drop)
        made.bind("rows_2026-06.csv")
        feed.land()
    assert feed.landed() == []


def test_no_folder_is_reached_through_a_link(feed: SmallFeed, drop: Path) -> None:
    elsewhere = drop.parent.parent / "elsewhere"
    put(elsewhere / "rows_2026-06.csv", table(3))
    drop.rmdir()
    drop.symlink_to(elsewhere)
    with pytest.raises(SourceUnavailableError, match="drop folder cannot be read"):
        feed.land()
    assert feed.landed() == []


def test_a_file_that_is_replaced_while_it_is_read_is_not_taken(
    feed: SmallFeed, drop: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from threegaps.sources import file_drop

    file = drop / "rows_2026-06.csv"
    put(file, table(3))
    within = file_drop.within

    def replacing(*arguments: Any) -> Iterator[bytes]:
        yield from within(*arguments)
        put(drop / "new", table(3, 4))
        (drop / "new").rename(file)

    monkeypatch.setattr(file_drop, "within", replacing)
    with pytest.raises(StillBeingWrittenError):
        feed.land()
    assert feed.landed() == []


def test_a_file_beyond_the_declared_size_is_refused(feed: SmallFeed, drop: Path) -> None:
    dropped(feed, r"rows_{delivery}\.csv", SINGLE, largestFileMib=1)
    put(drop / "rows_2026-06.csv", b"x" * (2 << 20))
    with pytest.raises(FeedError, match="more than 1 MiB"):
        feed.land()
    assert feed.landed() == []


def test_two_files_for_one_are_refused(feed: SmallFeed, drop: Path) -> None:
    dropped(feed, r"rows_{delivery}(_new)?\.csv", SINGLE)
    put(drop / "rows_2026-06.csv", table(3))
    put(drop / "rows_2026-06_new.csv", table(4))
    with pytest.raises(FeedError, match=r"2 files .* same part"):
        feed.land()


def test_earlier_deliveries_with_trouble_do_not_stop_the_last(feed: SmallFeed, odd: OddServer) -> None:
    send(odd.root, "202605")
    feed_run.land(FEED, "2026-05")
    put(odd.root / "rows" / "202605" / "rows_202605_part1of1.csv", table(6))
    send(odd.root, "202606")
    feed.land(JUNE)
    assert feed.landed() == ["part0001", "control"] * 2
