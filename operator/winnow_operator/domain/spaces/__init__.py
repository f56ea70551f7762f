"""Search spaces: dimensions, values, limits between them, and one canonical text per point."""
