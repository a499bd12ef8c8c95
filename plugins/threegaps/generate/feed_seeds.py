"""What the marts know of feeds, from the contracts and the SQL of the models: two seeds.

``seed_feed`` has a feed's names, its platform, how it comes and its statutory marks; ``seed_indicator_feed`` the feeds
that each indicator is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from threegaps.contracts.model import Contract
from threegaps.generate.lineage import lineage_of, read_models
from threegaps.generate.marts import SEEDS, seed_text


def render(
    root: Path, contracts: Sequence[Contract], indicator_models: Mapping[str, str], codes: Iterable[str]
) -> dict[Path, str]:
    """Both seeds of the project at *root*, by their paths below it.

    Args:
        root: The project's folder.
        contracts: All feeds.
        indicator_models: The model of each indicator that is built, by its code.
        codes: All indicators, in their order.
    """
    models = read_models(root)
    used = [
        {"indicator_code": code, "feed": feed}
        for code in codes
        if code in indicator_models
        for feed in lineage_of(indicator_models[code], models, contracts).columns
    ]
    return {
        SEEDS / "seed_feed.csv": seed_text([_feed(contract) for contract in contracts]),
        SEEDS / "seed_indicator_feed.csv": seed_text(used),
    }


def _feed(contract: Contract) -> dict[str, str]:
    mark, form, source = contract.statutory_mark, contract.form, contract.source_platform
    return {
        "feed": contract.feed,
        "name_zh": contract.title_zh,
        "name_en": contract.title_en,
        "owner_zh": contract.owner_zh,
        "cadence": contract.cadence,
        "delivery_kind": contract.delivery_kind,
        "platform": source.name if source else "",
        "platform_zh": source.platform.name_zh if source else "",
        "platform_en": source.platform.name_en if source else "",
        "platform_clause_zh": source.platform.clause_zh if source else "",
        "is_platform_assumed": ("true" if source.is_assumed else "false") if source else "",
        "statutory_mark": mark.kind if mark else "",
        "arises_from_zh": mark.arises_from_zh if mark else "",
        "form_number": form.form_number if form else "",
        "form_agency_zh": form.agency_zh if form else "",
        "form_approval_number": form.approval_number if form else "",
        "form_valid_until": form.valid_until.isoformat() if form else "",
        "is_form_example": ("true" if form.is_example else "false") if form else "",
    }  # fmt: skip
