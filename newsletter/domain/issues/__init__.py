"""Issues: made, written, checked, approved, scheduled and published. Verbs take rows and `now`, and never commit."""
