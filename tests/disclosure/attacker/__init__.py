"""What a reader with a computer can find out from published tables: the test of disclosure control.

It knows nothing of indicators. Callers name the unknown counts, say what is published of them and which sums hold;
`attack` gives the narrowest interval that follows for each count.
"""

from __future__ import annotations

from tests.disclosure.attacker.attack import Attack, attack
from tests.disclosure.attacker.system import FAR, Share, System

__all__ = ["FAR", "Attack", "Share", "System", "attack"]
