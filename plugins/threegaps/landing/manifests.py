"""What lies beside each landed object and says what it is, so that a ledger can be made again from landing."""

from __future__ import annotations

import datetime as dt
import json

from threegaps.ledger.landed import LandedObject

SUFFIX = ".manifest.json"


def written(landed: LandedObject) -> bytes:
    """The manifest of a landed object."""
    values = {name: getattr(landed, name) for name in LandedObject.__slots__}
    return json.dumps(values, default=_text, ensure_ascii=False, indent=1).encode("utf-8")


def read(manifest: bytes, *, uri: str) -> LandedObject | None:
    """What a manifest says, at *uri*; None where it is none."""
    try:
        values = json.loads(manifest)
        for name in ("fetched_at", "source_modified_at", "copies_ended_at"):
            values[name] = values[name] and dt.datetime.fromisoformat(values[name])
        landed = LandedObject(**{**values, "uri": uri})
    except (ValueError, TypeError, KeyError):
        return None
    return landed if isinstance(landed.landed_object_id, int) else None


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
