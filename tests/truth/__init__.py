"""Figures against the sandbox's truth: its accepted rows put straight into the facts, and what must come of them."""
