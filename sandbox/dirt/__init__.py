"""Dirt on purpose. What is wrong in a feed stands in the feed's module; the kinds that several have stand here."""
