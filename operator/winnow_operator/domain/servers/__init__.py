"""What a ModelServer rolls out, checks and takes back, and what its status says."""
