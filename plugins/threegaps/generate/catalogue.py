"""The catalogue of feeds and indicators, `docs/catalogue.md`, from the contracts and dbt's seeds."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from threegaps.contracts.document import AuthoritativeDefinition, ContractDocument, Property
from threegaps.contracts.labels import codes_zh, mark_en, mark_zh, platform_en, platform_zh
from threegaps.contracts.model import Column, Contract, Header, Rule
from threegaps.contracts.options.base import Option
from threegaps.contracts.options.formats import layouts_of
from threegaps.contracts.options.normalisations import columns_of
from threegaps.rules.frames import FRAMES
from threegaps.rules.model import SCOPES
from threegaps.rules.registry import KINDS

PATH = Path("docs") / "catalogue.md"

_PROTOCOLS = {"http": "HTTP", "sftp": "SFTP", "database": "database", "file_drop": "file drop"}
_DELIVERIES = {"full_list": "full list", "full_period": "full period", "changes": "changes"}
_SHARING = {"unconditional": "无条件共享", "conditional": "有条件共享", "none": "不予共享"}
_MOST_LISTED = 8
_DIRECTIONS = {"up": "higher is better", "down": "lower is better", "neutral": "no direction", "towards_1": "towards 1"}

Row = Mapping[str, str]


def render(
    feeds: Sequence[tuple[Contract, ContractDocument]],
    actions: Sequence[Row],
    indicators: Sequence[Row],
    targets: Sequence[Row],
    departments: Mapping[str, str],
) -> dict[Path, str]:
    """The catalogue's page, by its path below the project's root.

    Args:
        feeds: Every feed's contract, as it works and as it is written.
        actions: The actions and gaps of the plan, in their order.
        indicators: All indicators, those too that are not built.
        targets: Their dated targets.
        departments: Who carries each indicator, in Chinese.
    """
    lines = [
        "# Catalogue",
        "",
        "Made by `make docs` from the contracts in `expectations/` and the seeds in `dbt_project/seeds/`; do not edit.",
        "",
        *_feed_list([contract for contract, _ in feeds]),
        *_indicator_list(actions, indicators),
    ]
    for contract, document in feeds:
        lines += feed_page(contract, document)
    lines += _kinds()
    lines += _indicator_pages(actions, indicators, targets, departments)
    lines += revisions_page(indicators, lambda code: f"#{_anchor(code)}")
    return {PATH: "\n".join(lines).rstrip("\n") + "\n"}


def _built(indicators: Iterable[Row]) -> list[Row]:
    return [indicator for indicator in indicators if indicator["is_built"].lower() == "true"]


def _feed_list(contracts: Sequence[Contract]) -> Iterator[str]:
    yield f"## Feeds ({len(contracts)})"
    yield ""
    yield from _table(
        ("feed", "名称", "来源部门", "来源平台", "reached by", "comes", "delivers", "due"),
        (
            (
                f"[`{contract.feed}`](#{_anchor(contract.feed)})",
                contract.title_zh,
                contract.owner_zh,
                contract.source_platform.platform.name_zh if contract.source_platform else "",
                _PROTOCOLS[contract.protocol],
                f"by {contract.cadence}",
                _DELIVERIES[contract.delivery_kind],
                contract.due_day,
            )
            for contract in contracts
        ),
    )


def _indicator_list(actions: Sequence[Row], indicators: Sequence[Row]) -> Iterator[str]:
    built = _built(indicators)
    yield f"## Indicators ({len(built)} built of {len(indicators)})"
    yield ""
    titles = {action["action_code"]: action for action in actions}
    yield from _table(
        ("code", "指标", "indicator", "行动／差距", "unit", "periods", "method"),
        (
            (
                f"[{indicator['indicator_code']}](#{_anchor(indicator['indicator_code'])})",
                indicator["name_zh"],
                indicator["name_en"],
                titles[indicator["action_code"]]["name_zh"]
                if indicator["action_code"] in titles
                else indicator["action_code"],
                indicator["unit_zh"],
                _spaced(indicator["period_types"]),
                indicator["method"],
            )
            for indicator in built
        ),
    )


def _normalisations(contract: Contract) -> str:
    """Each kind with its columns; one that names none is of all."""
    columns: dict[str, list[str]] = {}
    for option in contract.normalisations:
        columns.setdefault(option.kind, []).extend(columns_of(option))
    return (
        "; ".join(
            f"{kind} ({', '.join(f'`{name}`' for name in dict.fromkeys(columns[kind])) or 'all'})"
            for kind in sorted(columns)
        )
        or "none"
    )


def feed_page(contract: Contract, document: ContractDocument) -> Iterator[str]:
    """The lines of a feed's part of the page: heading, title, then what its contract says."""
    columns = {column.name: column for column in document.schema_[0].properties}
    yield f"## {contract.feed}"
    yield ""
    yield f"{contract.title_zh} · {contract.title_en} · contract version {contract.version}"
    yield ""
    yield f"{contract.row_zh}。{contract.row_en}."
    yield ""
    yield from _origin(contract, document)
    yield from _law(document)
    yield f"- 主键 key: {_names(contract.key)} · table `raw.{contract.table}`"
    yield f"- 格式 files: {_written(contract.file_format)}"
    yield f"- declared normalisations, the rows that each changes counted by column: {_normalisations(contract)}"
    yield ""
    yield from _table(
        ("column", "source names", "含义", "meaning", "type", "required", "grade", "依据 follows"),
        (_column_row(column, columns[column.name]) for column in contract.columns),
    )
    yield from _layouts(contract)
    yield from _table(
        ("rule", "of", "follows", "judged by", "原因", "reason"),
        map(_rule_row, (*contract.rules, *contract.batch_rules)),
    )
    yield f"As Great Expectations runs them: `threegaps feeds show {contract.feed} --expanded`."
    yield ""


def _origin(contract: Contract, document: ContractDocument) -> Iterator[str]:
    """Who sends it, how and when, and where one asks."""
    yield f"- 提供方 from: {contract.owner_zh}, {_PROTOCOLS[contract.protocol]}, connection `{contract.connection_id}`"
    told = f", which tells of the days from {contract.covers_from} on" if contract.covers_from else ""
    yield (
        f"- 更新周期 one delivery each {contract.cadence} ({_DELIVERIES[contract.delivery_kind]}), first "
        f"{contract.first_delivery}{told}, due: {contract.due_day}; complete by {_written(contract.completeness)}"
    )
    if source := contract.source_platform:
        yield f"- 来源平台 platform: {platform_zh(source)} · {platform_en(source)}"
    asked = ", ".join(f"`{support.channel}`" for support in document.support)
    posts = ", ".join(f"`{member.username}`" for member in document.team.members) if document.team else ""
    yield f"- 咨询 ask: {asked or 'none'} · 责任岗位 posts: {posts or 'none'}"
    yield f"- 标签 tags: {', '.join(document.tags) or 'none'}"


def _law(document: ContractDocument) -> Iterator[str]:
    """Under which law it is had, shared and kept, and which standards it follows."""
    custom = document.custom_properties
    yield f"- 合法依据 legal basis: {'；'.join(custom.legal_basis) or 'none'}"
    if custom.sharing is not None:
        condition = f"（{custom.sharing.condition_zh}）" if custom.sharing.condition_zh else ""
        opened = "开放" if custom.sharing.is_open else "不开放"
        yield f"- 共享属性 sharing: {_SHARING[custom.sharing.kind]}{condition} · 开放属性 opening: {opened}"
    if custom.statutory_mark is not None:
        yield f"- 法定性质 statutory mark: {mark_zh(custom.statutory_mark)} · {mark_en(custom.statutory_mark)}"
    kept = document.service_level("retention")
    if kept is not None:
        why = f"（{kept.description}）" if kept.description else ""
        yield f"- 保存期限 kept: {kept.value} months{why}"
    yield f"- 依据的标准和法规 follows: {_cited(document.authoritative_definitions)}"


def _column_row(column: Column, written: Property) -> tuple[str, ...]:
    details = [
        *([codes] if (codes := codes_zh(column, between=" ")) else []),
        *([column.note_zh] if column.note_zh else []),
    ]
    return (
        f"`{column.name}`",
        "；".join(map(_dated, column.headers)) or (column.origin or ""),
        f"{column.description_zh}（{'；'.join(details)}）" if details else column.description_zh,
        column.description_en,
        column.sql_type if column.is_stored else "not stored",
        "yes" if column.required else "",
        column.grade,
        _cited(written.authoritative_definitions) if written.authoritative_definitions else "",
    )


def _dated(header: Header) -> str:
    """A source name, with the days on which deliveries have it where they are bounded."""
    first = "" if header.valid_from == dt.date.min else header.valid_from.isoformat()
    last = "" if header.valid_to == dt.date.max else header.valid_to.isoformat()
    return f"{header.name}（{first}–{last}）" if first or last else header.name


def _layouts(contract: Contract) -> Iterator[str]:
    """The layouts of a feed whose files do not all look alike."""
    layouts = layouts_of(contract.file_format)
    if not layouts:
        return
    rows = []
    for layout in layouts:
        headers = (f"`{name}` {'／'.join(header.header for header in given)}" for name, given in layout.headers.items())
        rows.append((layout.name, f"`{layout.files}`", "；".join(headers), _names(layout.without), _written(layout)))
    yield from _table(("layout", "file names", "source names of its own", "without", "otherwise"), rows)


_SHOWN_ELSEWHERE = frozenset({"kind", "by", "layouts", "limits", "name", "files", "headers", "without"})


def _written(option: Option) -> str:
    """What an option says beyond its defaults, in its own words."""
    head = getattr(option, "kind", None) or getattr(option, "by", None)
    written = option.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    rest = ", ".join(f"{name} {_value(value)}" for name, value in written.items() if name not in _SHOWN_ELSEWHERE)
    return f"{head} ({rest})" if head and rest else head or rest


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return str(value).lower() if isinstance(value, bool) else f"`{value}`"


def _cited(definitions: Sequence[AuthoritativeDefinition]) -> str:
    return "；".join(definition.description for definition in definitions) or "none"


def _rule_row(rule: Rule) -> tuple[str, ...]:
    return f"`{rule.rule}`", rule.dimension, rule.action, _judged_by(rule), rule.message_zh, rule.message_en


def _judged_by(rule: Rule) -> str:
    configuration = rule.configuration
    arguments = ", ".join(f"{name}: {_short(value)}" for name, value in configuration["kwargs"].items())
    return f"`{configuration['type']}({arguments})`"


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > _MOST_LISTED:
        return f"[{', '.join(map(str, value[:2]))}, … {len(value)} in all]"
    return json.dumps(value, ensure_ascii=False)


def _kinds() -> Iterator[str]:
    yield f"## Kinds of rules ({len(KINDS)})"
    yield ""
    yield "Each is a file of `plugins/threegaps/rules/kinds`. A rule is of one of these frames:"
    yield ""
    for name, judged in FRAMES.items():
        yield f"- **{name}**: {judged}"
    yield ""
    yield from _table(
        ("Great Expectations' type", "judges", "arguments", "dimension", "follows"),
        (
            (
                f"`{kind.expectation}`",
                kind.scope,
                ", ".join(f"`{name}`" for name in kind.arguments.model_fields) or "none",
                kind.dimension,
                kind.action,
            )
            for kind in sorted(KINDS.values(), key=lambda kind: (SCOPES.index(kind.scope), kind.expectation))
        ),
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _indicator_pages(
    actions: Sequence[Row], indicators: Sequence[Row], targets: Sequence[Row], departments: Mapping[str, str]
) -> Iterator[str]:
    for action in actions:
        of_action = [indicator for indicator in _built(indicators) if indicator["action_code"] == action["action_code"]]
        if of_action:
            yield f"## {action['action_code']} {action['name_zh']} · {action['name_en']}"
            yield ""
        for indicator in of_action:
            yield from _indicator_page(
                indicator,
                [target for target in targets if target["indicator_code"] == indicator["indicator_code"]],
                departments[indicator["indicator_code"]],
            )


def _indicator_page(indicator: Row, targets: Sequence[Row], departments: str) -> Iterator[str]:
    yield f"### {indicator['indicator_code']}"
    yield ""
    yield f"**{indicator['name_zh']}** · {indicator['name_en']}"
    yield ""
    yield f"- 公式: {indicator['formula_zh']}"
    yield f"- formula: {indicator['formula_en']}"
    direction = _DIRECTIONS.get(indicator["direction"], indicator["direction"])
    yield f"- unit {indicator['unit_zh']} · {direction} · method {indicator['method']}"
    yield f"- periods: {_spaced(indicator['period_types'])} · levels: {_spaced(indicator['levels'])}"
    yield f"- area: {indicator['area_basis']}"
    yield f"- from {_spaced(indicator['horizon_feeds'])} · {departments} · {indicator['source_clause']}"
    months = indicator["matures_after_months"]
    if months and months != "0":
        yield f"- final {months} {'month' if months == '1' else 'months'} after the period"
    yield f"- audience {indicator['audience']} · disclosure: {indicator['disclosure']}"
    for target in merged_targets(targets):
        confirmed = "" if target["is_confirmed"].lower() == "true" else ", 有待核对 yet to be confirmed"
        part = "" if target["breakdown"] == "total" else f" ({target['breakdown']}={target['breakdown_value']})"
        yield (
            f"- target of {target['area_code']}{part}, {_spaced(target['period_type'])}:"
            f" {'≤' if indicator['direction'] == 'down' else ''}{target['target_value']} by {target['target_date']}"
            f" ({target['plan_version']}{confirmed}): {target['basis_zh']}"
        )
    for caveat in (indicator["caveat_zh"], indicator["caveat_en"]):
        if caveat:
            yield f"- {caveat}"
    yield ""


def merged_targets(targets: Sequence[Row]) -> list[Row]:
    """*targets*, those that differ in the type of period alone as one, whose ``period_type`` lists the types."""
    merged: dict[tuple[str, ...], dict[str, str]] = {}
    for target in targets:
        key = tuple(value for name, value in target.items() if name not in {"target_code", "period_type"})
        if key in merged:
            merged[key]["period_type"] += f",{target['period_type']}"
        else:
            merged[key] = dict(target)
    return list(merged.values())


def revisions_page(indicators: Sequence[Row], address: Callable[[str], str]) -> Iterator[str]:
    """When each figure is settled, and what is said of those that change afterwards.

    Args:
        indicators: All indicators, those too that are not built.
        address: Where an indicator's page is, by its code.
    """
    yield "## Revisions 修订"
    yield ""
    yield (
        "一个数在它的观察期结束、并且99.5%以上的记录已经录入以后才称为定稿(`final`),此前是暂定(`provisional`)。"
        "定稿以后的变化称为修订,并如实标明:`marts.indicator_named.is_revised` 和写法「(修订)」。"
    )
    yield ""
    yield (
        "A figure is final once its window has ended and 99.5 % of its records are in; until then it is provisional. "
        "What changes afterwards is a revision and says so: `marts.indicator_named.is_revised`, and “(revised)” where "
        "it is written out. What happens while a figure is provisional is counted apart."
    )
    yield ""
    yield (
        "- `marts.indicator_revision`: 每个变过的数最初说的、现在说的、变了几次、过了多少天"
        " · each figure that changed: first, now, how often, days until the last"
    )
    yield (
        "- `marts.indicator_revision_rate`, `threegaps catalogue --revisions`: 各指标的修订率,只计未取整的指标值"
        " · rates by Eurostat's A6 "
        "(ESS guidelines for quality and performance indicators; McKenzie and Gamba 2008): with P the first final "
        "figure and L what is said now, mean revision Σ(L−P)/n, mean absolute revision Σ|L−P|/n, relative mean "
        "absolute revision Σ|L−P|/Σ|P|, over the figures that are shown exactly"
    )
    yield (
        "- `threegaps catalogue --arrival`, `threegaps doctor`: 定稿时已到的占比,据各次发布实测,须达99.5%;积累不足时为"
        "“尚不能判断” · what was there when figures became final, measured over the releases against the 99.5 %: "
        "of the persons behind the province's figures now, or “cannot tell yet”"
    )
    yield "- `history.indicator_value`: 每一次说过的 · every statement that was replaced"
    yield ""
    yield from _table(
        ("code", "指标", "window (months)", "final after (months)", "理由", "reason"),
        (
            (
                f"[{indicator['indicator_code']}]({address(indicator['indicator_code'])})",
                indicator["name_zh"],
                indicator["window_months"],
                indicator["matures_after_months"],
                indicator["settles_zh"],
                indicator["settles_en"],
            )
            for indicator in _built(indicators)
        ),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(value) for value in row)} |"
    yield ""


def _cell(value: str) -> str:
    return " ".join(value.replace("|", "\\|").split())


def _spaced(listed: str) -> str:
    return ", ".join(part.strip() for part in listed.split(",") if part.strip())


def _anchor(heading: str) -> str:
    return "".join(character for character in heading.lower() if character.isalnum() or character in "-_")
