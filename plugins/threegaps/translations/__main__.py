"""Print the texts that are without a translation, as entries of a catalogue: `python -m threegaps.translations`."""

from __future__ import annotations

import json
import sys

from threegaps.standards import visible
from threegaps.translations.missing import missing


def main() -> None:
    """Print what is missing in Chinese, or in the language that is named."""
    language = sys.argv[1] if len(sys.argv) > 1 else "zh"
    for text in missing(language):
        lines = [f"#: {text.file}:{text.line}"]
        if text.values:
            lines.append(f"#. {', '.join(text.values)}")
        lines += [f"msgid {json.dumps(text.template, ensure_ascii=False)}", 'msgstr ""', ""]
        visible.say("\n".join(lines))


if __name__ == "__main__":
    main()
