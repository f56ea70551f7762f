"""The API of Winnow: what a user writes and reads, as pydantic models."""
