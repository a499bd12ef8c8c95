"""How commands answer: tables for people, JSON for machines, one clear message when something is wrong.

Everything that a command shows goes through here, and nothing in it acts on the terminal that shows it: texts of others
have their control characters written as numbers, `threegaps.standards.visible`.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from threegaps.cli.streams import end_with_reader
from threegaps.labels import OF_COLUMNS, Labels
from threegaps.standards.moments import NEVER, clock
from threegaps.standards.visible import one_line, visible, within_json
from threegaps.translations import COLUMN, either, language, say, word


class PlainConsole(Console):
    """A console on which no text acts: neither as a terminal's command nor as rich's markup.

    It says sentences, titles and heads in the language that is spoken; cells are left as they are.
    """

    def __init__(self, *, is_error: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=is_error, highlight=False, markup=False, emoji=False, width=width)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print *objects*; see `rich.console.Console.print`."""
        shown = [in_language(visible(one) if isinstance(one, str) else one) for one in objects]
        if any(cell_len(command) > self.width for one in shown if isinstance(one, str) for command in _commands(one)):
            options.setdefault("soft_wrap", True)  # no line has room for it: where it is broken the terminal breaks it
        super().print(*(unbroken(one) if isinstance(one, str) else one for one in shown), **options)

    def rule(self, title: Any = "", **options: Any) -> None:
        """Print a line with *title* in it; see `rich.console.Console.rule`."""
        super().rule(in_language(title), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of *renderable*: what none has cleaned before is cleaned here."""
        for segment in super().render(renderable, options):
            if segment.control or (segment.text.isascii() and segment.text.isprintable()):
                yield segment
            else:
                yield Segment(visible(segment.text.replace(_BLANK, " ")), segment.style)

    def on_broken_pipe(self) -> None:
        """End quietly: who read has gone away."""
        end_with_reader(self.file)


def in_language(one: Any) -> Any:
    """What is printed, in the language that is spoken; a table's title and heads, not its cells."""
    if isinstance(one, str):
        return in_own_pages("\n".join(map(say, one.split("\n"))))
    if isinstance(one, Table):
        if isinstance(one.title, str):
            one.title = say(one.title)
        for column in one.columns:
            if isinstance(column.header, str):
                column.header = column_head(column.header)
    return one


# Stands for a blank where a line must not end; as wide as one. Unicode keeps it from ever being a character: what is
# received may have one of private use, as names with rare characters do, and none that is for a program's own use.
_BLANK = "\ufdd0"
_COMMAND = re.compile("`[^`\n]+`")


def _commands(text: str) -> list[str]:
    return _COMMAND.findall(text)


def unbroken(text: str) -> str:
    """*text* with each command in it kept on one line: one that goes over its end is not copied whole."""
    return _COMMAND.sub(lambda found: found[0].replace(" ", _BLANK), text.replace(_BLANK, " "))


def in_own_pages(text: str) -> str:
    """*text* with the pages that there are in Chinese in place of the English ones, where Chinese is spoken."""
    return _PAGES.sub(r"\1.zh.md", text) if language() == "zh" else text


_PAGES = re.compile(r"(docs/(?:guide|runbook|server))\.md")


def column_head(name: str) -> str:
    """What stands above a column, in the language that is spoken."""
    return word(name, COLUMN)


def named(labels: Labels, code: str) -> str:
    """A code as it is read in the language that is spoken; one without a label stands for itself."""
    return pair(*labels[code]) if code in labels else code


def coded(column: str, code: str) -> str:
    """What stands in a column, in the language that is spoken: a code in its words, what is none as it is."""
    return pair(*OF_COLUMNS[column][code]) if code in OF_COLUMNS.get(column, ()) else word(code, column)


def pair(zh: str, en: str) -> str:
    """A name in the language that is spoken, or in both."""
    one = either(zh, en)
    return (zh if zh == en else f"{zh} {en}") if one is None else one


def _width() -> int | None:
    """The width of lines: the terminal's; where nobody looks at one they may be long, unless COLUMNS says otherwise."""
    if sys.stdout.isatty():
        return None
    said = os.environ.get("COLUMNS", "")
    return int(said) if said.isascii() and said.isdigit() and int(said) >= 20 else 200


console = PlainConsole(width=_width())
errors = PlainConsole(is_error=True)


def plain(value: Any) -> Any:
    """*value* as JSON can say it: dates ISO, a moment that no calendar has as null, decimals as numbers."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.date | dt.datetime):
        return None if value == NEVER else value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    write(within_json(json.dumps(plain(value), ensure_ascii=False, indent=1, default=str)))


def write(document: str) -> None:
    """A whole document on standard output, as it is but for characters that act or hide."""
    sys.stdout.write(f"{visible(document)}\n")
    sys.stdout.flush()


def print_rows(
    rows: Iterable[Mapping[str, Any]],
    *,
    title: str = "",
    heads: Mapping[str, str] | None = None,
    dispensable: Collection[str] = (),
) -> None:
    """A table of *rows*; numbers to the right, Chinese and English of the same in one column.

    Where the terminal is too narrow for the table, each row is a paragraph.

    Args:
        rows: The rows, by the names of their columns.
        title: What stands above.
        heads: What columns are called; one that is left out by its name.
        dispensable: Columns that are left out where the table would be too wide, and said to be.
    """
    rows = [with_pairs(row) for row in rows]
    if not rows:
        console.print(f"{say(title)}: {say('none')}" if title else "none", markup=False)
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    titles = [column_head((heads or {}).get(name, name.replace("_", " "))) for name in names]
    texts = [[_named_cell(name, row.get(name)) for name in names] for row in rows]
    numeric = [all(isinstance(row.get(name), int | float | decimal.Decimal | None) for row in rows) for name in names]
    if _is_wider(titles, texts, console.width) and (kept := _said_columns(texts)):
        # Room is for what says something: columns that are empty in every row go first.
        titles, numeric = [titles[index] for index in kept], [numeric[index] for index in kept]
        texts = [[line[index] for index in kept] for line in texts]
        names = [names[index] for index in kept]
    widths = _fitted(titles, texts, numeric, console.width)
    if widths is None and set(names) & set(dispensable):
        left = [{name: row.get(name) for name in names if name not in dispensable} for row in rows]
        print_rows(left, title=title, heads=heads)
        gone = ", ".join(head for name, head in zip(names, titles, strict=True) if name in dispensable)
        console.print(f"Left out for want of room: {gone}; `--json` has all.", style="dim")
        return
    if widths is None:
        if title:
            console.print(Text(say(title), style="italic"))
        for line in texts:
            _print_paragraph(titles, line, first=f"{titles[0]} {line[0]}" if numeric[0] else line[0])
        return
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for head, width, is_number in zip(titles, widths, numeric, strict=True):
        table.add_column(head, justify="right" if is_number else "left", overflow="fold", width=width)
    for line in texts:
        table.add_row(*(Text(text) for text in line))
    console.print(table)


# A word up to this width is kept whole; Chinese has no spaces, and may be broken anywhere.
_WIDEST_WORD = 40
_CHINESE_WIDTH = 24


def _fitted(
    heads: Sequence[str], texts: Sequence[Sequence[str]], numeric: Sequence[bool], width: int
) -> list[int] | None:
    """The widths of columns in a table of at most *width*; None where they would have to be too narrow to read."""
    columns = [(head, *column) for head, column in zip(heads, zip(*texts, strict=True), strict=True)]
    widths = [max(map(cell_len, column)) for column in columns]
    least = [
        max(cell_len(text) for text in (*column[1:], *column[0].split()))
        if is_number
        else min(whole, max(_least(text) for text in column))
        for whole, is_number, column in zip(widths, numeric, columns, strict=True)
    ]
    room = width - 2 * (len(columns) - 1)
    if sum(least) > room:
        return None
    while sum(widths) > room:
        widest = max((index for index in range(len(widths)) if widths[index] > least[index]), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _is_wider(heads: Sequence[str], texts: Sequence[Sequence[str]], width: int) -> bool:
    return sum(max(map(cell_len, column)) + 2 for column in zip(heads, *texts, strict=True)) - 2 > width


def _said_columns(texts: Sequence[Sequence[str]]) -> list[int]:
    """The columns in which some row says something."""
    return [index for index, column in enumerate(zip(*texts, strict=True)) if any(column)]


def _least(text: str) -> int:
    if not text.isascii():
        return _CHINESE_WIDTH
    return min(_WIDEST_WORD, max(map(len, text.split()), default=0))


def _print_paragraph(heads: Sequence[str], line: Sequence[str], *, first: str) -> None:
    named = zip(heads[1:], line[1:], strict=True)
    parts = [Text.assemble((head, "dim"), f" {text}") for head, text in named if text]
    console.print(Text(first, style="bold"))
    console.print(Padding(Text(", ").join(parts), (0, 0, 0, 2)))


def both(zh: Any, en: Any) -> str:
    """The same in Chinese and in English, as far as there is either and the one does not quote the other."""
    if (one := either(str(zh or ""), str(en or ""))) is not None:
        return one
    if zh and en and str(en) not in str(zh):
        return f"{zh} · {en}"
    return str(zh or en or "")


def with_pairs(row: Mapping[str, Any]) -> dict[str, Any]:
    """*row* with ``name_zh`` and ``name_en``, where it has both, as one ``name``."""
    paired: dict[str, Any] = {}
    for name, value in row.items():
        base, _, language = name.rpartition("_")
        if language not in {"zh", "en"} or not {f"{base}_zh", f"{base}_en"} <= set(row):
            paired[name] = value
        elif base not in paired:
            paired[base] = both(row[f"{base}_zh"], row[f"{base}_en"])
    return paired


# Columns whose cells are words of ours; the others hold codes, names, or what people and departments have written.
_SAID = frozenset({"due", "gravity", "mark", "message", "said", "sees", "state"})


def _named_cell(name: str, value: Any) -> str:
    """As `cell`; a number that only names something (a batch, a process) is written so that it can be copied."""
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and name.split("_")[-1] in {"id", "pid", "port", "number"}
    ):
        return str(value)
    if isinstance(value, str):
        said = ", ".join(coded(name, part) for part in value.split(", "))
        return one_line(say(value) if said == value and name in _SAID else said)
    return cell(value)


def cell(value: Any) -> str:
    """*value* as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, decimal.Decimal | float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, dt.datetime):
        return pair("无从判断", "cannot tell") if value == NEVER else clock(value)
    if isinstance(value, dict | list):
        return one_line(json.dumps(plain(value), ensure_ascii=False))
    return one_line(str(value))


def answer(
    rows: Sequence[Mapping[str, Any]],
    *,
    as_json: bool,
    title: str = "",
    limit: int | None = None,
    total: int | None = None,
    heads: Mapping[str, str] | None = None,
    none: str = "",
    dispensable: Collection[str] = (),
) -> None:
    """Rows as JSON or as a table; where there are more than are shown, a line that says how many, and how to see them.

    Args:
        rows: The rows; more than *limit* of them are not shown.
        as_json: Whether a machine reads: a list on standard output, and the line on standard error.
        title: What stands above.
        limit: How many are shown at most.
        total: How many there are, where *rows* are not all.
        heads: See `print_rows`.
        none: What is said where there are none: what there is none of.
        dispensable: See `print_rows`.
    """
    shown = list(rows[:limit])
    total = max(len(rows), total or 0)
    if as_json:
        print_json(shown)
    elif none and not shown:
        console.print(none)
    else:
        print_rows(shown, title=title, heads=heads, dispensable=dispensable)
    tell_of_more(len(shown), total, as_json=as_json)


def tell_of_more(shown: int, total: int, *, as_json: bool = False) -> None:
    """Say how many of how many are shown, where it is not all, and how to see the rest."""
    if shown < total:
        told = errors if as_json else console
        told.print(f"{shown:,} of {total:,} are shown: `--limit {total}` shows all.")
