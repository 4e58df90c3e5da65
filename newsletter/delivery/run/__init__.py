"""Sending one issue: from the first claim to the last outcome written down."""
