"""What a SearchJob does next, which trial wins, and what its status says."""
