"""Which calls are open, and who may hand in now, by which right."""
