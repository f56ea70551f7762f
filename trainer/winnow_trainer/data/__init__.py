"""Data sets: read, checked, and turned into arrays. No torch in here."""
