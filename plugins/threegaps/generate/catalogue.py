"""The catalogue of feeds and indicators, `docs/catalogue.md`, from the contracts and dbt's seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from threegaps.contracts.model import Column, Contract, Rule

PATH = Path("docs") / "catalogue.md"

_PROTOCOLS = {"http": "HTTP", "sftp": "SFTP", "database": "database", "file_drop": "file drop"}
_DELIVERIES = {"full_list": "full list", "full_period": "full period", "changes": "changes"}
_DIRECTIONS = {"up": "higher is better", "down": "lower is better", "neutral": "no direction", "towards_1": "towards 1"}

Row = Mapping[str, str]


def render(
    contracts: Sequence[Contract],
    actions: Sequence[Row],
    indicators: Sequence[Row],
    targets: Sequence[Row],
) -> dict[Path, str]:
    """The catalogue's page, by its path below the project's root.

    Args:
        contracts: Every feed's.
        actions: The actions and gaps of the plan, in their order.
        indicators: All indicators, those too that are not built.
        targets: Their dated targets.
    """
    lines = [
        "# Catalogue",
        "",
        "Made by `make docs` from the contracts in `expectations/` and the seeds in `dbt_project/seeds/`; do not edit.",
        "",
        *_feed_list(contracts),
        *_indicator_list(actions, indicators),
    ]
    for contract in contracts:
        lines += _feed_page(contract)
    lines += _indicator_pages(actions, indicators, targets)
    return {PATH: "\n".join(lines).rstrip("\n") + "\n"}


def _built(indicators: Iterable[Row]) -> list[Row]:
    return [indicator for indicator in indicators if indicator["is_built"].lower() == "true"]


def _feed_list(contracts: Sequence[Contract]) -> Iterator[str]:
    yield f"## Feeds ({len(contracts)})"
    yield ""
    yield from _table(
        ("feed", "名称", "来源部门", "reached by", "comes", "delivers", "due"),
        (
            (
                f"[`{contract.feed}`](#{_anchor(contract.feed)})",
                contract.title_zh,
                contract.owner_zh,
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
                f"[{one['indicator_code']}](#{_anchor(one['indicator_code'])})",
                one["name_zh"],
                one["name_en"],
                titles[one["action_code"]]["name_zh"] if one["action_code"] in titles else one["action_code"],
                one["unit_zh"],
                _spaced(one["period_types"]),
                one["method"],
            )
            for one in built
        ),
    )


def _feed_page(contract: Contract) -> Iterator[str]:
    yield f"## {contract.feed}"
    yield ""
    yield f"{contract.title_zh} · {contract.title_en} · contract version {contract.version}"
    yield ""
    yield f"- from {contract.owner_zh}, {_PROTOCOLS[contract.protocol]}, connection `{contract.connection_id}`"
    yield (
        f"- one delivery each {contract.cadence} ({_DELIVERIES[contract.delivery_kind]}), first "
        f"{contract.first_delivery}, due: {contract.due_day}"
    )
    yield f"- key: {', '.join(f'`{name}`' for name in contract.key)} · table `raw.{contract.table}`"
    kinds = sorted({one.kind for one in contract.normalisations})
    yield f"- declared normalisations: {', '.join(kinds) or 'none'}"
    yield ""
    yield from _table(
        ("column", "source name", "含义", "meaning", "type", "required", "grade"), map(_column_row, contract.columns)
    )
    yield from _table(("rule", "follows", "原因", "reason"), map(_rule_row, (*contract.rules, *contract.batch_rules)))


def _column_row(column: Column) -> tuple[str, ...]:
    codes = "；".join(f"{code.code} {code.label_zh}" for code in column.code_list)
    return (
        f"`{column.name}`",
        column.source_name,
        f"{column.description_zh}（{codes}）" if codes else column.description_zh,
        column.description_en,
        column.sql_type if column.is_stored else "not stored",
        "yes" if column.required else "",
        column.grade,
    )


def _rule_row(rule: Rule) -> tuple[str, ...]:
    return f"`{rule.rule}`", rule.action, rule.message_zh, rule.message_en


def _indicator_pages(actions: Sequence[Row], indicators: Sequence[Row], targets: Sequence[Row]) -> Iterator[str]:
    for action in actions:
        of_action = [one for one in _built(indicators) if one["action_code"] == action["action_code"]]
        if of_action:
            yield f"## {action['action_code']} {action['name_zh']} · {action['name_en']}"
            yield ""
        for one in of_action:
            yield from _indicator_page(
                one, [target for target in targets if target["indicator_code"] == one["indicator_code"]]
            )


def _indicator_page(one: Row, targets: Sequence[Row]) -> Iterator[str]:
    yield f"### {one['indicator_code']}"
    yield ""
    yield f"**{one['name_zh']}** · {one['name_en']}"
    yield ""
    yield f"- 公式: {one['formula_zh']}"
    yield f"- formula: {one['formula_en']}"
    yield f"- unit {one['unit_zh']} · {_DIRECTIONS.get(one['direction'], one['direction'])} · method {one['method']}"
    yield f"- periods: {_spaced(one['period_types'])} · levels: {_spaced(one['levels'])}"
    yield f"- county of {one['area_basis']}"
    yield f"- from {_spaced(one['horizon_feeds'])} · {one['departments_zh']} · {one['source_clause']}"
    months = one["matures_after_months"]
    if months and months != "0":
        yield f"- final {months} months after the period"
    yield f"- audience {one['audience']} · disclosure: {one['disclosure']}"
    for target in targets:
        confirmed = "" if target["is_confirmed"].lower() == "true" else ", not confirmed"
        yield (
            f"- target of {target['area_code']}: {target['target_value']} by {target['target_date']}"
            f" ({target['plan_version']}{confirmed}): {target['basis_zh']}"
        )
    for caveat in (one["caveat_zh"], one["caveat_en"]):
        if caveat:
            yield f"- {caveat}"
    yield ""


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
