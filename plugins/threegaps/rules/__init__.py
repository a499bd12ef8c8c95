"""The kinds of rules that a contract may name, one file each in `threegaps.rules.kinds`."""
