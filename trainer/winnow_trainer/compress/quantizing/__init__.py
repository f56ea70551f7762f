"""The step `quantize`: layers that compute in integers."""
