"""Text that others wrote, made safe to show: nothing in it moves a terminal's cursor, turns a line round or hides.

What a department, a file's name, somebody's note or a server's message holds may be meant for the terminal or the page
rather than for its reader. Every character that would act or that shows nothing is written as its number, ``\\x1b`` or
``\\u202e``: what came stays recognisable, and does nothing.
"""

from __future__ import annotations

import html
import logging
import re
import sys

_RANGES = (
    (0x0000, 0x0009),
    (0x000B, 0x001F),  # all of C0 but the end of a line
    (0x007F, 0x009F),  # delete, and C1
    (0x00AD, 0x00AD),  # a hyphen that shows only where a line is broken
    (0x061C, 0x061C),
    (0x180E, 0x180E),
    (0x200B, 0x200F),  # of no width, joiners, marks of direction
    (0x2028, 0x202E),  # ends of lines and paragraphs, embeddings and overrides of direction
    (0x2060, 0x206F),  # of no width, isolates of direction
    (0xD800, 0xDFFF),  # halves of a pair: bytes that were no text
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xFDD0, 0xFDEF),  # no characters: a program may use them for itself
    (0xFFFE, 0xFFFF),  # no characters, and no XML document may hold them
    (0xE0000, 0xE007F),  # tags: letters that nobody sees
)
_CLASS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES)
_ACTS = re.compile(f"[{_CLASS}]")
_ACTS_OR_ENDS_LINE = re.compile(f"[\n{_CLASS}]")
_WRITTEN = {"\t": "\\t", "\r": "\\r", "\n": "\\n"}


def visible(text: str) -> str:
    """*text* with every character that acts or hides as its number; ends of lines stay."""
    return text if text.isascii() and text.isprintable() else _ACTS.sub(_as_number, text)


def one_line(text: str) -> str:
    """As `visible`, in one line: what came cannot look like a line of ours."""
    return text if text.isascii() and text.isprintable() else _ACTS_OR_ENDS_LINE.sub(_as_number, text)


def for_html(text: str) -> str:
    """*text* as a page shows it: its marks are no tags, and nothing in it acts or hides."""
    return html.escape(visible(text))


def within_json(document: str) -> str:
    """A written JSON document whose texts escape every such character: it is read back as it was."""
    # A tab or an end of a line outside of a text is white space, and within one JSON escapes both by itself.
    return _ACTS.sub(_as_json, document)


FORMULA_MARKS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""With one of these a cell begins that a spreadsheet may run."""

_BEFORE_MARK = re.compile(r"^[\s']+")
_NUMBER_BELOW_ZERO = re.compile(r"-[0-9]+(?:\.[0-9]+)?")


def for_spreadsheet(value: str) -> str:
    """*value* as a cell that no spreadsheet takes for a formula, and without characters that act or hide."""
    shown = visible(value)
    return f"'{shown}" if _may_be_run(shown) else shown


def from_spreadsheet(cell: str) -> str:
    """A cell that `for_spreadsheet` wrote, without its mark; a number below zero may have one from somebody's hand."""
    marked = cell.startswith("'") and (_may_be_run(cell[1:]) or _NUMBER_BELOW_ZERO.fullmatch(cell, 1))
    return cell[1:] if marked else cell


def _may_be_run(value: str) -> bool:
    """Whether a spreadsheet might run *value*: some pass over white space, and over the apostrophe of a text."""
    if _NUMBER_BELOW_ZERO.fullmatch(value):
        return False
    return value.startswith("\n") or _BEFORE_MARK.sub("", value, count=1).startswith(FORMULA_MARKS)


def say(text: str, *, is_error: bool = False) -> None:
    """Write a line to standard output, or to standard error, with nothing in it that acts."""
    stream = sys.stderr if is_error else sys.stdout
    stream.write(f"{visible(text)}\n")
    stream.flush()


class OneLineFilter(logging.Filter):
    """Keeps every message of a log in one line of its own, whatever was put into it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the record's message anew; every record passes."""
        message = record.getMessage()
        if (shown := one_line(message)) != message:
            record.msg, record.args = shown, ()
        return True


def log_of(name: str) -> logging.Logger:
    """The logger called *name*, each of whose messages stands in one line."""
    logger = logging.getLogger(name)
    if not any(isinstance(one, OneLineFilter) for one in logger.filters):
        logger.addFilter(OneLineFilter())
    return logger


def _as_number(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0] in _WRITTEN:
        return _WRITTEN[found[0]]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _as_json(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0] in "\t\r":
        return found[0]
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
