"""Feeds of the statistics department (国家统计局浙江调查总队). Their figures are real."""
