"""Keyed pseudonyms: HMAC-SHA256 (RFC 2104) of the canonical document number, its first 16 bytes as a UUID.

The key comes from the secrets backend and has a version; nothing here writes it or a document number anywhere.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

import polars as pl

from threegaps.errors import SettingsError

KEY_VARIABLE = "threegaps_pseudonym_key"
VERSION_VARIABLE = "threegaps_pseudonym_key_version"
_SHORTEST_KEY = 32
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """The key and its version; one version is active in a warehouse."""

    secret: bytes = field(repr=False)
    version: str

    def __post_init__(self) -> None:
        if len(self.secret) < _SHORTEST_KEY:
            raise SettingsError(
                f"The pseudonym key is shorter than {_SHORTEST_KEY} bytes.",
                advice="make a new one, for example with `python -c 'import secrets; print(secrets.token_hex(32))'`.",
            )


def load_key() -> PseudonymKey:
    """The active key, from the Airflow secrets backend or, outside Airflow, from its environment variables.

    Raises:
        SettingsError: There is none, or it is too short.
    """
    secret, version = _variable(KEY_VARIABLE), _variable(VERSION_VARIABLE)
    if not secret:
        raise SettingsError(
            "There is no pseudonym key.",
            advice=f"set the Variable {KEY_VARIABLE} in the secrets backend, or AIRFLOW_VAR_{KEY_VARIABLE.upper()}.",
        )
    return PseudonymKey(secret.encode("utf-8"), version or "1")


def _variable(name: str) -> str | None:
    value = os.environ.get(f"AIRFLOW_VAR_{name.upper()}")
    if value is not None:
        return value
    from airflow.sdk import Variable  # late: slow to import, and not needed where the environment has it

    found = Variable.get(name, default=None)
    return None if found is None else str(found)


def pseudonyms(key: PseudonymKey, identifiers: pl.Series) -> pl.Series:
    """Pseudonyms of *identifiers* (canonical text) as 32 hexadecimal digits, which PostgreSQL reads as a UUID.

    The two hash passes of HMAC start from copies that have taken in the padded key: six times as fast as a call of
    ``hmac.digest`` for each, and the test holds the two equal.
    """
    secret = hashlib.sha256(key.secret).digest() if len(key.secret) > _BLOCK else key.secret
    padded = secret.ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)).copy
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)).copy
    digests = []
    for identifier in identifiers.cast(pl.Binary).to_list():
        first, second = inner(), outer()
        first.update(identifier)
        second.update(first.digest())
        digests.append(second.digest())
    return pl.Series(identifiers.name, digests, dtype=pl.Binary).bin.slice(0, 16).bin.encode("hex")
