"""What a reader with a computer can find out from published tables: the test of disclosure control.

It knows nothing of indicators. Callers name the unknown counts, say what is published of them and which sums hold;
`attack` gives the narrowest interval that follows for each count, `attack_matrix` the same where they are numbered.
"""

from __future__ import annotations

from tests.disclosure.attacker.attack import Attack, Bounds, attack, attack_matrix
from tests.disclosure.attacker.matrix import Integers, Matrix, Truths
from tests.disclosure.attacker.system import FAR, Share, System

__all__ = ["FAR", "Attack", "Bounds", "Integers", "Matrix", "Share", "System", "Truths", "attack", "attack_matrix"]
