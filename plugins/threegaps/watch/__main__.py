"""`python -m threegaps.watch`: the service, in a process that imports no more than it needs."""

from __future__ import annotations

import sys

from threegaps.settings import Settings
from threegaps.watch.service import Watch

if __name__ == "__main__":
    sys.exit(Watch(Settings.load()).run())
