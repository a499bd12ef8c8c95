"""What killed tests leave: a home and its server are ended and removed by whoever makes the next one, and no other."""

from __future__ import annotations

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


def test_a_home_whose_owner_is_not_certainly_gone_stays(folder: Path) -> None:
    unknown, damaged, own, other = (folder / f"threegaps-{name}" for name in ("unknown", "damaged", "own", "other"))
    for home in (unknown, damaged, own, other):
        home.mkdir()
    (damaged / "owner.json").write_text("{")
    note_owner(own)
    note_owner(other)
    noted = json.loads((other / "owner.json").read_text())
    (other / "owner.json").write_text(json.dumps(noted | {"host": "another", "started": "0"}))
    clear_left()
    assert {home.name for home in folder.iterdir()} == {unknown.name, damaged.name, own.name, other.name}


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({}, False),
        ({"started": "1"}, True),
        ({"pid": 2**22 + 1}, True),
        ({"boot": "another"}, True),
        ({"namespace": "pid:[1]", "pid": 2**22 + 1}, False),
        ({"host": "another", "boot": "another"}, False),
        ({"pid": "x"}, False),
    ],
)
def test_an_owner_is_known_by_more_than_its_number(tmp_path: Path, changed: dict[str, object], left: bool) -> None:
    note_owner(tmp_path)
    path = tmp_path / "owner.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    assert is_left(tmp_path) is left


def test_a_folder_of_another_user_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note_owner(tmp_path)
    path = tmp_path / "owner.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"started": "1"}))
    assert is_left(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    assert not is_left(tmp_path)
