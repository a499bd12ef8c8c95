"""What stands of a runtime home for all to see: its services' account, their processes, the day of its sandbox."""
