"""The hooks of the pre-commit configuration run what the project has, and download nothing."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from typing import Any

import yaml

from threegaps.settings import Settings

ROOT = Settings.load().root
REPOSITORIES: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))[
    "repos"
]


def test_every_hook_is_the_environments_own() -> None:
    assert {repository["repo"] for repository in REPOSITORIES} == {"local"}
    assert {hook["language"] for repository in REPOSITORIES for hook in repository["hooks"]} == {"system"}


def test_every_hook_runs_something_that_is_there() -> None:
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for repository in REPOSITORIES:
        for hook in repository["hooks"]:
            words = shlex.split(hook["entry"])
            if words[:2] == ["python", "-m"]:
                assert find_spec(words[2]), hook["id"]
                for word in words[3:]:
                    assert not word.startswith("tests/") or (ROOT / word).exists(), hook["id"]
                words = words[words.index("--") + 1 :] if "--" in words else ["python"]
            # an extra, as of sqlfluff[rs], stands between the name and the version
            assert words[0] == "python" or re.search(rf"^{words[0]}(\[\w+\])?==", locked, re.MULTILINE), hook["id"]
