"""Looks: one module for each kind, each a function from what was read to the causes that are seen in it."""
