"""Who may read the warehouse: roles and their limits, logins of readers, and what stands open that should not."""
