"""What the package says to people, found in its source: each text as a template of the catalogue, with its place.

A text is a string of two words or more, in English or in both languages, that is neither a document of the code, a line
of a log, SQL nor a pattern; or any string at a place where something is said (`raise`, `advice=`, `console.print`).
`python -m threegaps.translations` prints those that have no Chinese yet, as entries to fill in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

# Modules that say nothing on the command line: what they write is read in the database, on pages or in files, has both
# languages already or is the departments' business.
NOT_SPOKEN = (
    "generate/",
    "reference/",
    "translations/",
    "ledger/migrations/",
    "labels.py",
    "cli/contract_test.py",
    "cli/lint.py",
    "cli/queries.py",
    "contracts/labels.py",
    "contracts/platforms.py",
    "contracts/tables.py",
    "contracts/warehouse_form.py",
    "release/county_value.py",
    "release/marks.py",
    "release/live.py",
    "release/named.py",
    "release/reported.py",
    "release/revisions.py",
    "release/rights.py",
    "release/served.py",
    "release/views.py",
    "release/withdrawn.py",
    "rules/frames.py",
    "batch/closed_pages.py",
    "orchestration/marts.py",
    "orchestration/upkeep.py",
)
# Modules whose texts have both languages and stand on pages or in messages: only what they raise is said here.
ONLY_RAISED = (
    "duty/",
    "orchestration/pages.py",
    "returned/files.py",
    "watch/composing.py",
    "watch/digest.py",
    "watch/kinds.py",
    "watch/metrics.py",
    "watch/pages.py",
    "watch/runbook.py",
    "watch/sending.py",
)
_LOGGED = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_PATTERNS = {"compile", "match", "fullmatch", "search", "sub", "findall", "finditer", "split", "SQL", "execute"}
_SAID = {"print", "say", "rule", "echo", "BadParameter"}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_WORDS = re.compile(r"[A-Za-z]{2,}[,:;)]? \(?[A-Za-z]{2,}")
_WORD_BETWEEN = re.compile(r"(^|[ ,;:(])[a-z]{3,}([ ,;:)]|$)")
_ADDRESS = re.compile(r"://|^\w+\{\d|/\w+/|^chmod |^:?\{\d\}:\w")
_SQL = re.compile(
    r"::|%\(|%[sd]|\bcase when\b|\bis not null\b|\bis null\b|\bnot null\b|\bdistinct from\b|\bselect \w+"
    r"|\bcoalesce\(|\bto_char\(|^\s*(select|insert into|update|delete from|create|alter|drop|grant|revoke|where"
    r"|order by|set|primary key|partition by|begin|login password|double precision|status in)\b|\w = \w+\.|\}\.\{|= '",
)
_NO_TEXT = re.compile(
    r"^(bold )?(red|green|yellow)$|^application/|^text/|^Asia/|^ISO, |^copy .* from stdin$|^\w+_\w+, \w"
    r"|^\w+[a-z][A-Z]\w*$|^[\w{}]+/\S*$|^o\.|\x00|^threegaps |^\d+\."
)
# What others say, and we look for in it; names of a contract's keys.
UNSAID = frozenset(
    """
    no pg_hba.conf entry|authentication failed|no password supplied|is not permitted to log in|does not exist
    permission denied for database|is starting up|is shutting down|in recovery mode|not yet accepting connections
    too many clients|too many connections|connection slots are reserved|server closed the connection unexpectedly
    SSL connection has been closed unexpectedly|SSL SYSCALL error|Connection reset by peer|Connection refused
    timeout expired|could not translate host name|failed to resolve host|No route to host|Network is unreachable
    No such file or directory|permission denied|not found in known_hosts|Value error, |runtime error
    server closed the connection|partitioned|properties|undone by|{0}{1}
    """.strip()
    .replace("\n    ", "|")
    .split("|")
)


@dataclass(frozen=True)
class Text:
    """A text that is said, as a template, with where it stands and what its values are."""

    template: str
    file: str
    line: int
    values: tuple[str, ...] = ()
    is_raised: bool = False


def spoken(package: Path = PACKAGE) -> Iterator[Text]:
    """Every text of the modules below *package* that may reach a person on the command line."""
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not name.startswith(NOT_SPOKEN):
            found = in_source(path.read_text(encoding="utf-8"), name)
            yield from (text for text in found if text.is_raised or not name.startswith(ONLY_RAISED))


def in_source(source: str, name: str) -> Iterator[Text]:
    """The texts of one module, called *name*."""
    yield from _Finder(name).found(ast.parse(source))


class _Finder:
    def __init__(self, name: str) -> None:
        self._name = name

    def found(self, node: ast.AST, *, is_said: bool = False) -> Iterator[Text]:
        """The texts below *node*; *is_said* where whatever stands here is said."""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        text = self._text(node, is_said=is_said)
        if text is not None:
            yield text
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from self.found(part.value, is_said=False)
            return
        if isinstance(node, ast.Call):
            yield from self._call(node)
            return
        if isinstance(node, ast.Tuple | ast.List) and _is_bilingual(node.elts):
            node = ast.List([one for one in node.elts if not isinstance(one, ast.Constant | ast.JoinedStr)], ast.Load())
        if isinstance(node, ast.FunctionDef) and _is_command(node):
            for paragraph in filter(None, (ast.get_docstring(node) or "").split("\n\n")):
                yield Text(_escaped(" ".join(paragraph.split())), self._name, node.lineno)
        if isinstance(node, ast.Compare) or (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)):
            return  # what is compared with, or looked up
        keeps = isinstance(node, ast.IfExp | ast.BinOp | ast.Starred | ast.keyword)
        for child in ast.iter_child_nodes(node):
            yield from self.found(child, is_said=is_said and keeps)

    def _call(self, node: ast.Call) -> Iterator[Text]:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield from self.found(node.func)
        if called in _LOGGED or called in _PATTERNS:
            return
        is_error = called.endswith("Error") or called == "cls"
        arguments = node.args
        if _is_bilingual(arguments):
            arguments = [one for one in arguments if not isinstance(one, ast.Constant | ast.JoinedStr)]
        for index, argument in enumerate(arguments):
            yield from self.found(argument, is_said=called in _SAID or (is_error and index == 0))
        names = {one.arg for one in node.keywords if one.arg}
        for keyword in node.keywords:
            name = keyword.arg or ""
            if name in {"style", "header_style", "title_style"} or name.endswith(("_zh", "_en")):
                continue
            if f"{name}_zh" in names:
                continue
            yield from self.found(keyword.value, is_said=name in {"advice", "title", "help"})

    def _text(self, node: ast.AST, *, is_said: bool) -> Text | None:
        template, values = template_of(node)
        if template is None or "\n" in template.strip() or _NO_TEXT.search(template) or template in UNSAID:
            return None
        bare = re.sub(r"\{\d[^{}]*\}|`[^`]*`", " ", template)
        is_text = bool(re.search(r"[A-Za-z]{2,}", bare) if is_said else _WORDS.search(template))
        if isinstance(node, ast.JoinedStr) and _WORD_BETWEEN.search(bare):
            is_text = is_text or not _ADDRESS.search(template)
        if not is_text or (not is_said and _SQL.search(template)):
            return None
        return Text(template, self._name, getattr(node, "lineno", 0), values, is_raised=is_said)


def _is_command(node: ast.FunctionDef) -> bool:
    """Whether typer shows the function's document as help: a command answers in JSON, a group has a callback."""
    decorators = [ast.unparse(one) for one in node.decorator_list]
    return any(one.arg == "json_" for one in node.args.args) or any(
        ".command(" in one or ".callback(" in one for one in decorators
    )


def template_of(node: ast.AST) -> tuple[str | None, tuple[str, ...]]:
    """A string of the source as a template, with the expressions of its values; None where it is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if "{}" not in node.value:
            return _escaped(node.value), ()
        first, *others = map(_escaped, node.value.split("{}"))  # filled by `format`
        return first + "".join(f"{{{number}}}{part}" for number, part in enumerate(others)), ()
    if not isinstance(node, ast.JoinedStr):
        return None, ()
    written = ""
    values: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            written += _escaped(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            conversion = f"!{chr(part.conversion)}" if part.conversion != -1 else ""
            form = part.format_spec.values[0] if isinstance(part.format_spec, ast.JoinedStr) else None
            style = str(form.value) if isinstance(form, ast.Constant) else ""
            kind = f":{style}" if style and style[-1] in ",dfge" else ""
            written += f"{{{len(values)}{conversion}{kind}}}"
            values.append(ast.unparse(part.value))
    return written, tuple(values)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _is_bilingual(nodes: list[ast.expr]) -> bool:
    """Whether the same is said in Chinese and in English side by side, so that either can be chosen."""
    texts = [text for text, _ in map(template_of, nodes) if text is not None]
    return any(_CHINESE.search(text) and not _WORDS.search(text) for text in texts) and any(
        _WORDS.search(text) for text in texts
    )
