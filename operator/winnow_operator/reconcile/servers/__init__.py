"""Reconciles ModelServers."""
