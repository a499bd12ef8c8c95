"""Landing: bytes as they were sent, immutable, each with its manifest."""
