"""How the codes of the catalogue are read, in Chinese and in English."""

from __future__ import annotations

LABELS: dict[str, dict[str, tuple[str, str]]] = {
    "direction": {
        "up": ("越高越好", "higher is better"),
        "down": ("越低越好", "lower is better"),
        "neutral": ("不分好坏", "no direction"),
        "towards_1": ("越接近1越好", "the nearer to 1 the better"),
    },
    "period_types": {
        "day": ("时点", "day"),
        "month": ("月", "month"),
        "quarter": ("季", "quarter"),
        "ytd": ("本年累计", "year to date"),
        "year": ("年", "year"),
    },
    "levels": {
        "county": ("县(市、区)", "county"),
        "other": ("省外、不详、省市本级", "other provinces, unknown, province's or city's own"),
        "city": ("设区市", "city"),
        "province": ("全省", "province"),
        "group": ("县组", "groups of counties"),
    },
    "audience": {
        "public": ("公开", "public"),
        "province": ("全省公开,其余内部", "public for the province, internal below"),
        "internal": ("内部", "internal"),
    },
    "disclosure": {
        "none": ("不涉及个人,照列", "nothing to protect"),
        "persons": ("涉及个人:十位取整,不足10人隐去", "persons: in tens, fewer than 10 suppressed"),
        "employers": (
            "涉及用人单位:不足3家或一家独大隐去",
            "employers: fewer than 3, or one that dominates, suppressed",
        ),
    },
}


def labelled(kind: str, codes: str) -> list[tuple[str, str]]:
    """Each code of a list with commas, in Chinese and in English; one without a label stands for itself."""
    known = LABELS[kind]
    return [known.get(code, (code, code)) for code in (part.strip() for part in codes.split(",")) if code]
