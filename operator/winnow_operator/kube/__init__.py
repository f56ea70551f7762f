"""Everything that talks to the API server; the Kubernetes client is imported nowhere else."""
