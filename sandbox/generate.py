"""Write the whole sandbox to a folder: what the departments have, what they will send, and the truth beside it."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sandbox import clock, feeds, population, records, sending, submissions
from sandbox.calendar import HORIZON, OPENING_DAY
from sandbox.fates import plan
from sandbox.feeds.model import Scene, Versions
from sandbox.parameters import Parameters
from sandbox.writers.versions import write_versions

VERSION = 2
FOLDERS = ("gateway", "database", "sftp", "drop", "outbox", "truth")


def run(home: Path, parameters: Parameters) -> bool:
    """Generate into `home`, as it stands on the opening day.

    Returns False when it already holds the same, on whatever day (then nothing is touched).
    """
    manifest = home / "manifest.json"
    wanted = {"version": VERSION, **asdict(parameters)}
    if manifest.exists() and _serves(json.loads(manifest.read_text("utf-8")), wanted):
        return False
    manifest.unlink(missing_ok=True)
    for name in FOLDERS:
        _empty(home / name)
    _credentials(home)
    clock.set_today(home, OPENING_DAY)
    wages = home / "truth" / "wages"
    wages.mkdir()
    people = population.generate(parameters.scale, parameters.seed)
    scene = Scene(people, parameters, HORIZON, wages)
    noted = records.Records()
    fates = plan(feeds.every(), parameters.seed, HORIZON)
    sending.write_plan(home, fates)
    for together in feeds.senders():
        feed = together[0]
        for made in submissions.made(scene, together):
            if isinstance(made, Versions):
                write_versions(home, feed, made)
            else:
                sending.send(home, feed, made, fates[feed.name, made.due], noted)
    (home / "sftp" / "SYNTHETIC-合成数据.txt").write_text(
        "本目录全部为合成数据。All data here are synthetic.\n", "utf-8"
    )
    records.write_files(home, noted)
    records.publish(home, OPENING_DAY)
    if parameters.truth:
        from sandbox import truth

        truth.write(home / "truth", scene)
    manifest.write_text(json.dumps(wanted, indent=1), "utf-8")
    return True


def _serves(made: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether what was made is what is wanted: with its truth it serves those too who ask for none."""
    return made | {"truth": True} == wanted | {"truth": True} and (made["truth"] or not wanted["truth"])


def _empty(folder: Path) -> None:
    """Make a folder, or empty it: it may be a mounted volume, which cannot be removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _credentials(home: Path) -> None:
    path = home / "credentials.json"
    if path.exists():
        return
    path.touch(mode=0o600)
    path.write_text(json.dumps({"app_id": "threegaps", "app_secret": secrets.token_hex(24)}), "utf-8")
