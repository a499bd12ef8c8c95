"""``python -m threegaps.generate``: write what is generated; with ``--check`` only name what is not current."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from threegaps.errors import ThreeGapsError
from threegaps.generate.files import outdated, write
from threegaps.settings import Settings
from threegaps.standards import visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the generated files; 1 with ``--check`` when one is not current, or when a contract cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m threegaps.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is not current")
    is_check = parser.parse_args(arguments).check
    root = Settings.load().root
    try:
        paths = outdated(root) if is_check else write(root)
    except (ThreeGapsError, ValueError) as error:
        visible.say(str(error), is_error=True)
        return 1
    for path in paths:
        visible.say(path.as_posix())
    if is_check and paths:
        visible.say("These files are not current: run `make docs`.", is_error=True)
    return 1 if is_check and paths else 0


if __name__ == "__main__":
    sys.exit(main())
