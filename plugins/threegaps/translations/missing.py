"""Which texts of the package are without a translation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threegaps.translations.catalogue import FOLDER, read
from threegaps.translations.texts import Text, spoken

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def missing(language: str) -> Iterator[Text]:
    """Each text once that has no entry in *language*; in English only what has Chinese in it needs one."""
    known = {entry.msgid for path in sorted((FOLDER / language).glob("*.po")) for entry in read(path)}
    for text in spoken():
        if text.template in known or (language == "en" and not _CHINESE.search(text.template)):
            continue
        known.add(text.template)
        yield text
