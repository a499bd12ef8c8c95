"""One module a kind of rule: its arguments, its message, its form in columns, and what Great Expectations runs.

A module has one `KIND`; `threegaps.rules.registry` finds it. Nothing heavy is imported at its head.
"""
