"""What a contract may say beyond the standard, `docs/contract-options.md`, from the models that read it.

Keys, types and defaults are the models', the words their docstrings': the page cannot say what the code does not do.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from threegaps.contracts.document import ColumnProperties, ContractProperties, ServerProperties
from threegaps.contracts.options.base import Option
from threegaps.rules.registry import KINDS

PATH = Path("docs") / "contract-options.md"

_ROOTS: Mapping[str, type[Option]] = {
    "The contract (`customProperties`)": ContractProperties,
    "The department's server (`servers/0/customProperties`)": ServerProperties,
    "A column (`customProperties` of it)": ColumnProperties,
}
_TAGS = ("kind", "protocol", "by")
_SCOPES = {"row": "a row", "line": "a line", "key": "the key", "batch": "the batch"}
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}


def render() -> dict[Path, str]:
    """The page, by its path below the project's root."""
    lines = [
        "# What a contract may say",
        "",
        "Made by `make docs` from the models in `plugins/threegaps/contracts`; do not edit. What stands here is all",
        "that there is beyond the standard's own fields: any other key is refused when the contract is read.",
        "合同中除标准字段外可用的全部选项;其他写法在读取合同时即被拒绝。",
        "",
    ]
    seen: set[type[Option]] = set()
    for title, model in _ROOTS.items():
        lines += [f"## {title}", "", *_section(model)]
        for used in _used(model, seen):
            lines += [f"### {_title(used)}", "", *_section(used)]
    return {PATH: "\n".join([*lines, *_rules()]).rstrip("\n") + "\n"}


def _rules() -> Iterator[str]:
    """The kinds of rules, with the arguments that each takes."""
    yield "## Rules (`quality`)"
    yield ""
    yield "Great Expectations' own types and ours. `column` may be left out of a rule that stands with its column;"
    yield "`threegaps feeds show FEED --expanded` prints those that follow from a contract's fields."
    yield ""
    yield "| type | judges | arguments | dimension | follows | what |"
    yield "|---|---|---|---|---|---|"
    for expectation, kind in sorted(KINDS.items(), key=lambda item: (item[1].scope, item[0])):
        fields = kind.arguments.model_fields.items()
        taken = [
            f"`{name}` ({_takes(field.annotation)}{'' if field.is_required() else ', may be left out'})"
            for name, field in fields
        ]
        summary = inspect.cleandoc(sys.modules[kind.arguments.__module__].__doc__ or "").splitlines()[0]
        follows = "refuse, always" if kind.must_refuse else kind.action
        cells = (f"`{expectation}`", _SCOPES[kind.scope], "; ".join(taken), kind.dimension, follows, summary)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _section(model: type[Option]) -> Iterator[str]:
    summary, arguments = _words(model)
    yield from summary
    yield ""
    rows = [
        (f"`{field.alias or name}`", _takes(field.annotation), _default(field), arguments.get(name, ""))
        for name, field in model.model_fields.items()
        if (name, field.annotation) != _tag_field(model)
    ]
    if rows:
        yield "| key | takes | default | meaning |"
        yield "|---|---|---|---|"
        yield from (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
        yield ""


def _used(model: type[Option], seen: set[type[Option]]) -> Iterator[type[Option]]:
    """The models that a model's fields take, and theirs, each once over all calls with the same *seen*."""
    for field in model.model_fields.values():
        for used in _models_in(field.annotation):
            if used not in seen:
                seen.add(used)
                yield used
                yield from _used(used, seen)


def _models_in(annotation: Any) -> Iterator[type[Option]]:
    if isinstance(annotation, type) and issubclass(annotation, Option):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _title(model: type[Option]) -> str:
    """What a section is called: the name of the model, with the word by which a contract chooses it."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", model.__name__).lower()
    tag = _tag(model)
    return f"{words} ({tag[0]}: {tag[1]})" if tag else words


def _tag(model: type[Option]) -> tuple[str, str] | None:
    """Key and value by which a contract chooses the model; None where there is no choice."""
    name, annotation = _tag_field(model)
    return (name, str(get_args(annotation)[0])) if name else None


def _tag_field(model: type[Option]) -> tuple[str, Any]:
    for name in _TAGS:
        field = model.model_fields.get(name)
        if field is not None and len(get_args(field.annotation)) == 1:
            return name, field.annotation
    return "", None


def _words(model: type[Option]) -> tuple[list[str], dict[str, str]]:
    """A docstring without its arguments, and the arguments by name; those of what it inherits from too."""
    arguments: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        arguments |= _arguments(inspect.cleandoc(kind.__doc__ or "").partition("\nArgs:\n")[2])
    summary = inspect.cleandoc(model.__doc__ or "").partition("\nArgs:\n")[0].strip()
    return summary.replace("``", "`").splitlines(), {name: text.replace("``", "`") for name, text in arguments.items()}


def _arguments(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if match := re.match(r" {4}(\w+): (.+)", line):
            name = match[1]
            found[name] = match[2]
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found


def _takes(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is Annotated:
        return _takes(inner[0])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in inner)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_takes(part) for part in inner if part is not type(None)))
    if origin is tuple:
        items = [part for part in inner if part is not Ellipsis]
        return f"list of {_takes(items[0])}" if len(items) < len(inner) else " and ".join(map(_takes, items))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of {_takes(inner[0])} to {_takes(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Option):
        title, tag = _title(annotation), _tag(annotation)
        return f"[{f'`{tag[1]}`' if tag else title}](#{_anchor(title)})"
    return "day, as 2026-06-30" if getattr(annotation, "__name__", "") == "date" else str(annotation)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default in ((), {}):
        return ""
    if isinstance(default, Option):
        tag = _tag(type(default))
        return f"`{tag[1]}`" if tag else "its own defaults"
    return f"`{str(default).lower() if isinstance(default, bool) else _plain(default)}`"


def _plain(default: Any) -> str:
    return (
        ", ".join(map(str, default)) if isinstance(default, Sequence) and not isinstance(default, str) else str(default)
    )


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
