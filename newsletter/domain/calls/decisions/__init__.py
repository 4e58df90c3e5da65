"""What editors decide on what was sent in, and what its sender is told."""
