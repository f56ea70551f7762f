"""Winnow's operator: from a search space to the best model with `kubectl apply`."""
