"""Feeds of the women's and the disabled persons' federations (省妇联、省残联)."""
