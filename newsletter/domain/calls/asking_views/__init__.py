"""Answers to calls for views, on pages of our own."""
