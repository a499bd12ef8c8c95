"""Real servers on loopback that play the departments."""
