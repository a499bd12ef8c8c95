"""Fetching from departments: a signed gateway, SFTP, their database, a drop folder."""
