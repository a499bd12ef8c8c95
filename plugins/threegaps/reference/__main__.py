"""``python -m threegaps.reference``: write the reference site; open its ``index.html`` in a browser."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

from threegaps.errors import ThreeGapsError
from threegaps.reference.live import read_live
from threegaps.reference.site import left_over, render
from threegaps.reference.subjects import Subjects
from threegaps.settings import SHANGHAI, Settings
from threegaps.standards import visible

FOLDER = Path("docs") / "_build"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the site; 1 when a contract or the catalogue cannot be read."""
    settings = Settings.load()
    parser = argparse.ArgumentParser(prog="python -m threegaps.reference", description=__doc__)
    parser.add_argument("--to", type=Path, default=settings.root / FOLDER, help="its folder")
    parser.add_argument(
        "--without-warehouse", action="store_true", help="leave coverage and revision rates out, were there a release"
    )
    chosen = parser.parse_args(arguments)
    folder: Path = chosen.to
    live = None if chosen.without_warehouse else read_live(settings)
    try:
        files = render(Subjects(settings.root), live=live, day=dt.datetime.now(SHANGHAI).date())
    except (ThreeGapsError, ValueError) as error:
        visible.say(str(error), is_error=True)
        return 1
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for path in left_over(folder, list(files)):
        path.unlink()
    said = f"coverage and revision rates of release {live.release_id}" if live else "no release: without coverage"
    visible.say(f"{folder / 'index.html'} ({said})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
