"""Feeds of the financial regulator (浙江金融监管局)."""
