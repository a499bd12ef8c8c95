"""Landing on a disk: arrivals are counted, private, whole or not there, and end with their retention."""

from __future__ import annotations

import datetime as dt
import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pytest
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from threegaps.errors import FeedError, UnexpectedError
from threegaps.landing import store as landing
from threegaps.landing.store import Arrival, LandingStore
from threegaps.ledger.landed import LandedObject, latest_arrivals

pytestmark = pytest.mark.integration

FEED, DELIVERY = "test/wages", "2026-06"


@pytest.fixture
def connection(shared_warehouse: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(shared_warehouse, autocommit=True) as opened:
        opened.execute("truncate ops.landed_object cascade")
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "land ing"


@pytest.fixture
def store(folder: Path) -> LandingStore:
    return LandingStore(folder.as_uri())


def part(content: bytes, name: str = "part0001") -> Arrival:
    return Arrival(name, f"{name}.csv.gz", lambda: [content[:3], content[3:]])


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def read(store: LandingStore, landed: LandedObject) -> bytes:
    with store.open(landed) as file:
        return file.read()


def test_a_then_b_then_a_again_are_three_arrivals(
    connection: psycopg.Connection[tuple[object, ...]], store: LandingStore
) -> None:
    first, second, third = (store.land(connection, FEED, DELIVERY, part(one)) for one in (b"aaaa", b"bbbb", b"aaaa"))
    assert first
    assert second
    assert third
    assert [one.arrival_number for one in (first, second, third)] == [1, 2, 3]
    assert first.sha256 == third.sha256 != second.sha256
    assert [read(store, one) for one in (first, second, third)] == [b"aaaa", b"bbbb", b"aaaa"]
    assert latest_arrivals(connection, FEED, DELIVERY)["part0001"] == third


def test_what_equals_its_latest_arrival_is_not_landed(
    connection: psycopg.Connection[tuple[object, ...]], store: LandingStore, folder: Path
) -> None:
    assert store.land(connection, FEED, DELIVERY, part(b"same"))
    before = files(folder)
    assert store.land(connection, FEED, DELIVERY, part(b"same")) is None
    assert files(folder) == before
    # The same bytes as another part, or of another delivery, are their own arrival.
    assert store.land(connection, FEED, DELIVERY, part(b"same", "part0002"))
    assert store.land(connection, FEED, "2026-07", part(b"same"))


def test_landed_files_are_for_their_owner_only(
    connection: psycopg.Connection[tuple[object, ...]], store: LandingStore, folder: Path
) -> None:
    assert store.land(connection, FEED, DELIVERY, part(b"personal"))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files(folder)}
    assert modes == {0o600}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")] if path.is_dir()}
    assert folders == {0o700}


def test_the_manifest_comes_last_and_says_what_the_ledger_says(
    connection: psycopg.Connection[tuple[object, ...]],
    store: LandingStore,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[str, int]] = []
    create = landing.LocalFolder.create

    def noted(self: landing.LocalFolder, name: str) -> object:
        made.append((name, len(latest_arrivals(connection, FEED, DELIVERY))))
        return create(self, name)

    monkeypatch.setattr(landing.LocalFolder, "create", noted)
    landed = store.land(connection, FEED, DELIVERY, part(b"content"))
    assert landed
    assert [name.endswith(".manifest.json") for name, _ in made] == [False, True]
    assert [entered for _, entered in made] == [0, 0]
    manifest = json.loads(next(path for path in files(folder) if path.suffix == ".json").read_text(encoding="utf-8"))
    assert manifest["sha256"] == landed.sha256
    assert manifest["size_bytes"] == 7
    assert manifest["fetched_at"] == landed.fetched_at.isoformat()


def test_a_cut_off_arrival_leaves_nothing_and_disturbs_nobody(
    connection: psycopg.Connection[tuple[object, ...]], store: LandingStore, folder: Path
) -> None:
    def breaks() -> Iterable[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(UnexpectedError, match=r"file part0001\.csv\.gz\] .* \(ConnectionResetError at line"):
        store.land(connection, FEED, DELIVERY, Arrival("part0001", "part0001.csv.gz", breaks))
    assert files(folder) == []
    assert latest_arrivals(connection, FEED, DELIVERY) == {}
    # What a killed process leaves: bytes without manifest or ledger. The next arrival has a name of its own.
    (folder / FEED / DELIVERY / "part0001.0001.1.csv.gz").write_bytes(b"half")
    landed = store.land(connection, FEED, DELIVERY, part(b"whole"))
    assert landed
    assert landed.arrival_number == 1
    assert read(store, landed) == b"whole"


def test_copies_end_and_hashes_stay(
    connection: psycopg.Connection[tuple[object, ...]], store: LandingStore, folder: Path
) -> None:
    old = store.land(connection, FEED, DELIVERY, part(b"old"))
    other = store.land(connection, "test/other", DELIVERY, part(b"of another feed"))
    assert old
    assert other
    assert store.end_copies(connection, FEED, old.fetched_at) == 0
    limit = dt.datetime.now(dt.UTC)
    new = store.land(connection, FEED, DELIVERY, part(b"new"))
    assert new
    assert store.end_copies(connection, FEED, limit) == 1
    assert store.end_copies(connection, FEED, limit) == 0
    assert read(store, new) == b"new"
    assert read(store, other) == b"of another feed"
    row = connection.execute(
        "select sha256, copies_ended_at is not null from ops.landed_object where landed_object_id = %s",
        [old.landed_object_id],
    ).fetchone()
    assert row == (old.sha256, True)
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in files(folder) if path.suffix == ".json"]
    assert [one["copies_ended_at"] is not None for one in manifests if one["sha256"] == old.sha256] == [True]
    with pytest.raises(FeedError, match="landed bytes are gone") as told:
        store.open(old)
    assert (told.value.feed, told.value.file) == (FEED, "part0001.csv.gz")


def test_any_object_store_will_do(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    attach("memory", fs=MemoryFileSystem())
    store = LandingStore("memory://landing")
    landed = store.land(connection, FEED, DELIVERY, part(b"in memory"))
    assert landed
    assert read(store, landed) == b"in memory"
    assert store.end_copies(connection, FEED, dt.datetime.now(dt.UTC)) == 1
    with pytest.raises(FeedError, match="gone"):
        store.open(landed)
