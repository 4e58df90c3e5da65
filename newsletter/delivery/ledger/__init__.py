"""Where each recipient stands: claimed, noted on the way, recorded, counted."""
