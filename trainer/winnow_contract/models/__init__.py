"""What a trainer can train: model families, their settings, and nets as texts."""
