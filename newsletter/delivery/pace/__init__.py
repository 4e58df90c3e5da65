"""How fast, to whom next, and when to stop."""
