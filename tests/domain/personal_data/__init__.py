"""Sentences with and without personal data, made up for this project."""
