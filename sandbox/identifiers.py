"""Check digits of resident IDs (GB 11643) and of unified social credit codes (GB 32100), in columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESIDENT_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
RESIDENT_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
USCC_ALPHABET = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
# Never issued, so that no synthetic ID can belong to anyone.
SYNTHETIC_ADDRESS = 339900


def fixed_digits(numbers: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Decimal digits of `numbers`, zero-padded, as an ASCII matrix of `width` columns."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return ((numbers[:, None] // powers) % 10 + ord("0")).astype(np.uint8)


def to_text(characters: NDArray[np.uint8]) -> NDArray[np.str_]:
    """Rows of an ASCII matrix as fixed-width texts."""
    width = characters.shape[1]
    return np.ascontiguousarray(characters).view(f"S{width}").ravel().astype(f"U{width}")


def resident_ids(
    birth_yyyymmdd: NDArray[np.int64], serial: NDArray[np.int64], block: NDArray[np.int64]
) -> NDArray[np.str_]:
    """18-character resident IDs. `serial` 0..999 (odd = male); `block` is added to the never-issued address code."""
    body = np.hstack(
        [fixed_digits(SYNTHETIC_ADDRESS + block, 6), fixed_digits(birth_yyyymmdd, 8), fixed_digits(serial, 3)]
    )
    remainder = ((body - ord("0")).astype(np.int64) @ RESIDENT_WEIGHTS) % 11
    return to_text(np.hstack([body, RESIDENT_CHECKS[remainder][:, None]]))


def resident_check_character(body: str) -> str:
    """Check character of the first 17 digits of a resident ID."""
    total = sum(int(digit) * int(weight) for digit, weight in zip(body[:17], RESIDENT_WEIGHTS, strict=True))
    return chr(RESIDENT_CHECKS[total % 11])


def social_credit_codes(indexes: NDArray[np.int64]) -> NDArray[np.str_]:
    """18-character USCCs for running employer numbers, positions 3-8 the never-issued 339900."""
    body = np.hstack(
        [
            np.broadcast_to(np.frombuffer(b"91339900MA", dtype=np.uint8), (len(indexes), 10)),
            fixed_digits(indexes, 7),
        ]
    )
    alphabet = np.frombuffer(USCC_ALPHABET, dtype=np.uint8)
    value_of = np.zeros(128, dtype=np.int64)
    value_of[alphabet] = np.arange(31)
    check = (31 - (value_of[body] @ USCC_WEIGHTS) % 31) % 31
    return to_text(np.hstack([body, alphabet[check][:, None]]))
