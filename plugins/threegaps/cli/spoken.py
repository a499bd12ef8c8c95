"""Help and complaints of the command line itself (typer's words, too) in the language that is spoken."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from typer.core import TyperGroup

from threegaps import translations
from threegaps.translations import say

# What typer writes around help and errors; it looks these up by name each time.
_FIXED = (
    "DEPRECATED_STRING",
    "DEFAULT_STRING",
    "ENVVAR_STRING",
    "REQUIRED_LONG_STRING",
    "ARGUMENTS_PANEL_TITLE",
    "OPTIONS_PANEL_TITLE",
    "COMMANDS_PANEL_TITLE",
    "ERRORS_PANEL_TITLE",
    "ABORTED_TEXT",
    "RICH_HELP",
)


class Spoken(TyperGroup):
    """All commands; before one runs the language is settled, and `--lang` may stand anywhere."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> Any:
        """Run a command, as typer does."""
        arguments = translations.asked_first(sys.argv[1:] if args is None else args)
        translations.use(translations.asked(arguments, os.environ))
        if _is_of_language_alone(arguments):
            arguments.append("--help")  # as without any argument
        with_typers_words()
        for command in _commands(self):
            _in_words(command)
        if "--json" in arguments:
            translations.use("both")  # a document for machines is the same in every language
        return super().main(arguments, *rest, **more)


def _is_of_language_alone(arguments: Sequence[str]) -> bool:
    known = translations.LANGUAGES
    return tuple(arguments) in {
        *((f"{translations.OPTION}={one}",) for one in known),
        *((translations.OPTION, one) for one in known),
    }


def with_typers_words() -> None:
    """Let typer's own words be in the language that is spoken."""
    if translations.language() == "both" and "typer.rich_utils" not in sys.modules:
        return
    from typer import rich_utils

    words, highlighter = _typers()
    for name, english in words.items():
        setattr(rich_utils, name, say(english))
    rich_utils.highlighter = highlighter


@cache
def _typers() -> tuple[dict[str, str], Any]:
    """Typer's words as it has them, and its highlighter, which usage and complaints go through, with ours before it."""
    from typer import rich_utils

    class InWords(rich_utils.OptionHighlighter):
        highlights = [*rich_utils.OptionHighlighter.highlights, r"(?P<usage>用法: )"]  # noqa: RUF012  # as rich has it

        def __call__(self, text: Any) -> Any:
            shown = super().__call__("\n".join(map(say, text.split("\n"))) if isinstance(text, str) else text)
            shown.overflow = "fold"  # Chinese has no spaces: it would be cut off
            return shown

    return {name: getattr(rich_utils, name) for name in _FIXED}, InWords()


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for child in getattr(command, "commands", {}).values():
        yield from _commands(child)


def _in_words(command: Any) -> None:
    if translations.language() == "both":
        return
    command.help = in_paragraphs(command.help, say)
    context = command.context_class(command, help_option_names=["-h", "--help"])
    for one in command.get_params(context):
        if getattr(one, "help", None):
            one.help = in_paragraphs(one.help, say)


def in_paragraphs(text: str | None, said: Callable[[str], str]) -> str | None:
    """A help text, each paragraph of it as *said* says it; its line breaks are the source's, and mean nothing."""
    return None if text is None else "\n\n".join(said(" ".join(part.split())) for part in text.split("\n\n"))
