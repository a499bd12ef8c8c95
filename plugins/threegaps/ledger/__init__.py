"""The ledger: what arrived, what became of it, what was built and released from it."""
