"""A disk that fills: a real one, by real bytes; and the watch's own, on which it can write nothing any more."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Iterator

import pytest

from tests.integration.watch.conftest import Installation, fail_build
from threegaps.watch import heartbeat, reading_machine

pytestmark = pytest.mark.integration

MB = 10**6


def test_a_disk_that_fills_is_told_once_and_that_there_is_room_again_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The home's own file system: what is reserved of it is gone for everybody."""
    monkeypatch.setattr(reading_machine, "statvfs", os.statvfs)
    home = installation.settings.home
    room = os.statvfs(home)
    if room.f_bavail * room.f_frsize < 3000 * MB or room.f_bavail < room.f_blocks * 0.05:
        pytest.skip("the machine's disk is full already")
    installation.environment["THREEGAPS_LEAST_FREE_MB"] = str(room.f_bavail * room.f_frsize // MB - 1000)
    installation.restart()
    installation.passes(30)
    assert installation.open() == []
    with (home / "large").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1500 * MB)
    installation.passes(120)
    (key,) = installation.open()
    assert key == "disk_filling:home"
    (home / "large").unlink()
    installation.passes(120)
    assert installation.open() == []
    assert installation.channel.told() == [("opened", key), ("closed", key)]


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """Whatever this process writes to a file fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_the_watch_goes_on_where_it_can_write_nothing(installation: Installation) -> None:
    installation.passes(15)
    fail_build(installation)
    with no_room():
        with pytest.raises(OSError, match="large"):
            (installation.settings.home / "probe").write_bytes(b"x")
        installation.passes(120)
    assert installation.channel.told() == [("opened", "build_failed")]
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert beat.passes == 1
    installation.passes(15)
    beat = heartbeat.last_beat(installation.settings)
    assert beat is not None
    assert beat.passes > 1
