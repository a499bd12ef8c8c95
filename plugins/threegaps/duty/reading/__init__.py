"""What the duty page asks of the ledger: one module a page, plain data, nothing of HTTP."""
