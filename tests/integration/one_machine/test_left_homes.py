"""What killed tests leave: a home and its server are ended and removed by whoever makes the next one, and no other."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from threegaps.errors import ServiceError
from threegaps.home import processes
from threegaps.home.owners import is_left, note_owner
from threegaps.one_machine.temporary import clear_left, temporary_home, temporary_server

pytestmark = pytest.mark.integration

HOLDING = """
import sys, time
from threegaps.one_machine.temporary import temporary_server
with temporary_server() as server:
    print(server.home, flush=True)
    time.sleep(600)
"""
# Its parent's end is no signal to it then, as where the system knows none.
DEAF = "from threegaps.one_machine import postgres; postgres.die_with_parent = lambda *_: None\n"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary ones of the test's own, which PostgreSQL's user may enter."""
    # pytest's own lies elsewhere, and stays.
    tmp_path_factory.getbasetemp()
    place = Path(tempfile.mkdtemp(prefix="of-a-test-"))
    place.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    shutil.rmtree(place)


def test_a_killed_owners_home_and_server_go_with_the_next_one(folder: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", DEAF + HOLDING], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    home = Path(owner.stdout.readline().strip())
    with temporary_home():
        assert home.exists(), "its owner lives"
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert processes.runs_in(home / "data")
    with temporary_server() as server:
        assert not home.exists()
        assert not processes.runs_in(home / "data")
        assert server.home.parent == folder
    assert list(folder.iterdir()) == []


def kept(folder: Path, name: str = "threegaps-left", /, **changed: object) -> Path:
    """A home whose owner is gone, with data; what is noted of it *changed*."""
    home = folder / name
    (home / "data").mkdir(parents=True)
    (home / "data" / "PG_VERSION").write_text("18")
    note_owner(home)
    note(home, **{"started": "1", **changed})
    return home


def note(home: Path, /, **changed: object) -> None:
    path = home / "owner.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def cleared(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What is said where homes are cleared twice."""
    for _ in range(2):
        clear_left()
    return [record.getMessage() for record in caplog.records]


def test_a_left_home_goes_and_one_that_is_none_stays_unsaid(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    left, unknown, own = kept(folder), folder / "threegaps-unknown", folder / "threegaps-own"
    other, another = kept(folder, "threegaps-ns", namespace="pid:[1]"), kept(folder, "threegaps-boot", boot="another")
    for home in (unknown, own):
        home.mkdir()
    note_owner(own)
    assert cleared(caplog) == []
    assert {*folder.iterdir()} == {unknown, own, other, another}
    assert not left.exists()


def test_what_else_stands_in_the_data_of_a_left_home_is_not_ended(folder: Path) -> None:
    home = kept(folder)
    shell = subprocess.Popen([sys.executable, "-c", "input()"], cwd=home / "data", stdin=subprocess.PIPE)
    try:
        assert shell.pid in processes.runs_in(home / "data")
        clear_left()
        assert not home.exists()
        assert shell.poll() is None
    finally:
        shell.kill()
        shell.communicate()


@pytest.mark.parametrize("name", ["data", "postgres", "postgres/data", "postgres/instance", "run"])
def test_no_link_is_followed(folder: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """To a home elsewhere, or from within a left one."""
    elsewhere = kept(folder, "elsewhere")
    (folder / "threegaps-link").symlink_to(elsewhere)
    assert cleared(caplog) == []
    home = kept(folder)
    (home / name).parent.mkdir(exist_ok=True)
    shutil.rmtree(home / "data")
    (home / name).symlink_to(elsewhere)
    (said,) = cleared(caplog)
    assert "link" in said
    assert home.exists()
    assert (elsewhere / "data" / "PG_VERSION").exists()


def test_a_copy_and_a_renamed_home_are_nobodys(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = kept(folder)
    copy = shutil.copytree(home, folder / "threegaps-copy")
    renamed = home.rename(folder / "threegaps-renamed")
    assert len(cleared(caplog)) == 2
    assert {*folder.iterdir()} == {copy, renamed}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("owner.json", b"{"),
        ("owner.json", b"[]"),
        ("owner.json", b"\xff"),
        ("owner.json", b"[" * 10_000),
        ("owner.json", b" " * 20_000),
        ("owner.json", None),
        ("instance", b"\xff"),
        ("instance", b"../../elsewhere"),
        ("instance", b"0" * 10_000),
        ("instance", None),
        ("postgres/instance", b""),
        ("run/status.json", b"{"),
    ],
)
def test_an_odd_home_is_said_once_and_stops_nobody(
    folder: Path, caplog: pytest.LogCaptureFixture, name: str, content: bytes | None
) -> None:
    home = kept(folder)
    odd = home / name
    odd.unlink(missing_ok=True)
    odd.parent.mkdir(exist_ok=True)
    if content is None:
        odd.mkdir()
    else:
        odd.write_bytes(content)
    if name == "run/status.json":
        # Whose services run: whom to end stands there.
        (home / "state.json").write_text("{}")
        lock = os.open(home / "run" / "supervisor.lock", os.O_CREAT | os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
    else:
        lock = None
    try:
        with temporary_home():
            assert home.exists()
        (said,) = cleared(caplog)
        assert said.startswith(f"{home} is left alone: ")
    finally:
        if lock is not None:
            os.close(lock)


@pytest.mark.parametrize(
    "changed",
    [
        {"pid": "x"},
        {"pid": True},
        {"pid": 0},
        {"pid": -1},
        {"pid": float("inf")},
        {"pid": 1e9},
        {"pid": 10**400},
        {"started": None},
        {"boot": 1},
        {"more": "1"},
        {"folder": "/"},
    ],
)
def test_an_odd_note_is_no_note(folder: Path, changed: dict[str, object]) -> None:
    home = kept(folder, **changed)
    with pytest.raises(ServiceError):
        is_left(home)


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({}, False),
        ({"started": "1"}, True),
        ({"pid": 2**22 - 1}, True),
        # Another machine's, or this one's before it was started anew.
        ({"boot": "another"}, False),
        ({"namespace": "pid:[1]", "pid": 2**22 - 1}, False),
    ],
)
def test_an_owner_is_known_by_more_than_its_number(tmp_path: Path, changed: dict[str, object], left: bool) -> None:
    note_owner(tmp_path)
    note(tmp_path, **changed)
    assert is_left(tmp_path) is left


def test_a_folder_of_another_user_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note_owner(tmp_path)
    note(tmp_path, started="1")
    assert is_left(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    assert not is_left(tmp_path)
