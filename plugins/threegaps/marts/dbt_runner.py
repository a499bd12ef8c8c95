"""Running dbt inside this process: it ends when we end, and nothing of it goes on writing after a kill.

Each invocation has its own folder for target and log, seeded with the parsed project, so that no two can disturb each
other. Nothing is passed by ``--vars``: build id, date and slices stand in the ledger's tables, where dbt reads them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threegaps.errors import BuildError
from threegaps.marts.manifest import Manifest, action_of
from threegaps.settings import Settings

_PARSED_FILES = ("manifest.json", "partial_parse.msgpack")
_PROJECT_PARTS = ("models", "seeds", "macros", "tests", "snapshots", "dbt_project.yml", "profiles.yml")
_KEPT_INVOCATIONS = 20
_LONGEST_MESSAGE = 300
_FAILED = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """What became of the models and tests of one action or shared layer in one invocation."""

    action: str
    models: int
    failures: int
    skipped: int
    messages: tuple[str, ...]

    @property
    def status(self) -> str:
        """passed, failed or skipped."""
        if self.failures:
            return "failed"
        return "skipped" if self.skipped else "passed"


def parse_project(settings: Settings) -> Manifest:
    """The project's manifest; dbt parses only when a file of the project has changed since.

    Raises:
        BuildError: The project cannot be parsed; the message says where.
    """
    return Manifest.read(_parsed(settings) / "manifest.json")


def run_build(settings: Settings, *, name: str, full_refresh: bool = False) -> tuple[ActionOutcome, ...]:
    """``dbt build`` of the whole project; the outcome of each action.

    Args:
        settings: Where the project, the runtime home and the warehouse are.
        name: Name of the invocation's folder below ``dbt/`` in the runtime home.
        full_refresh: Make incremental tables and seeds anew.

    Raises:
        BuildError: dbt could not run at all; a failing model or test is an outcome, not an error.
    """
    folder = settings.home / "dbt" / "invocations" / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "target").mkdir(parents=True)
    parsed = _parsed(settings)
    for file in _PARSED_FILES:
        shutil.copy2(parsed / file, folder / "target" / file)
    # Unit tests judge the project's text, not what has arrived: they belong to the tests of the project.
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    arguments += ["--full-refresh"] if full_refresh else []
    result = _invoke(settings, arguments, folder)
    _forget_old(folder.parent)
    return outcomes(result.results)


def outcomes(results: Any) -> tuple[ActionOutcome, ...]:
    """Sum up dbt's run results by action."""
    models: dict[str, int] = defaultdict(int)
    failures: dict[str, int] = defaultdict(int)
    skipped: dict[str, int] = defaultdict(int)
    messages: dict[str, list[str]] = defaultdict(list)
    for result in results:
        node = result.node.to_dict()
        status = str(getattr(result.status, "value", result.status))
        if node["resource_type"] == "operation" and status not in _FAILED:
            continue
        action = action_of(node)
        models[action] += node["resource_type"] == "model"
        if status in _FAILED:
            failures[action] += 1
            messages[action].append(f"{node['name']}: {_plain(result.message)}")
        elif status == "skipped":
            skipped[action] += 1
    return tuple(
        ActionOutcome(action, models[action], failures[action], skipped[action], tuple(messages[action]))
        for action in sorted(models)
    )


def _parsed(settings: Settings) -> Path:
    cache = settings.home / "dbt" / "parsed"
    folder = cache / _project_digest(settings.dbt_project_folder)
    if all((folder / file).exists() for file in _PARSED_FILES):
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=cache))
    try:
        (draft / "target").mkdir()
        _invoke(settings, ["parse"], draft)
        for older in cache.iterdir():
            if not older.name.startswith(".draft-"):
                shutil.rmtree(older, ignore_errors=True)
        try:
            (draft / "target").rename(folder)
        except OSError:
            if not (folder / _PARSED_FILES[0]).exists():  # else another process was faster
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _project_digest(project: Path) -> str:
    from importlib.metadata import version

    digest = hashlib.sha256(version("dbt-core").encode())
    for part in _PROJECT_PARTS:
        root = project / part
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        for path in files:
            digest.update(path.relative_to(project).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _invoke(settings: Settings, arguments: list[str], folder: Path) -> Any:
    from dbt.cli.main import dbtRunner

    project = str(settings.dbt_project_folder)
    folders = ["--project-dir", project, "--profiles-dir", project]
    folders += ["--target-path", str(folder / "target"), "--log-path", str(folder / "log")]
    with _profile_environment(settings):
        result = dbtRunner().invoke(["--quiet", "--no-use-colors", *arguments, *folders])
    if result.exception is not None:
        raise BuildError(
            f"dbt {arguments[0]} could not run: {_plain(str(result.exception))}",
            advice=f"read dbt.log in {folder / 'log'}.",
        ) from None
    return result.result


@contextmanager
def _profile_environment(settings: Settings) -> Iterator[None]:
    """The variables that profiles.yml reads, for the time of an invocation; a password stands in no command line."""
    names: Mapping[str, str] = {
        "host": "THREEGAPS_WAREHOUSE_HOST",
        "port": "THREEGAPS_WAREHOUSE_PORT",
        "user": "THREEGAPS_WAREHOUSE_USER",
        "password": "THREEGAPS_WAREHOUSE_PASSWORD",
        "dbname": "THREEGAPS_WAREHOUSE_DATABASE",
    }
    values = {names[part]: value for part, value in settings.warehouse().items()}
    values |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _plain(message: str | None) -> str:
    """One line of dbt's message, without the values of rows that PostgreSQL quotes in DETAIL lines."""
    lines = [line.strip() for line in (message or "").splitlines()]
    kept = [line for line in lines if line and not re.match(r"(DETAIL|CONTEXT|compiled code at)", line)]
    return " ".join(kept)[:_LONGEST_MESSAGE]


def _forget_old(invocations: Path) -> None:
    folders = sorted(invocations.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[_KEPT_INVOCATIONS:]:
        shutil.rmtree(folder, ignore_errors=True)
