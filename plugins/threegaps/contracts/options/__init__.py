"""The options of a contract, each a strict model: what the standard leaves open, and what a feed may say there.

An unknown or misspelt key, a wrong type or a combination that could not run is refused when the contract is read, with
its path in the file and the nearest right name (`base.explain`).
"""
