"""``python -m threegaps.reference``: write the reference site; open its ``index.html`` in a browser."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from threegaps.errors import ThreeGapsError
from threegaps.reference.site import left_over, render
from threegaps.reference.subjects import Subjects
from threegaps.settings import Settings

FOLDER = Path("docs") / "_build"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the site; 1 when a contract or the catalogue cannot be read."""
    root = Settings.load().root
    parser = argparse.ArgumentParser(prog="python -m threegaps.reference", description=__doc__)
    parser.add_argument("--to", type=Path, default=root / FOLDER, help="its folder")
    folder: Path = parser.parse_args(arguments).to
    try:
        files = render(Subjects(root))
    except (ThreeGapsError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for path in left_over(folder, list(files)):
        path.unlink()
    sys.stdout.write(f"{folder / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
