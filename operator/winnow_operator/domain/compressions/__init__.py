"""What a CompressionJob builds, measures and chooses, and what its status says."""
