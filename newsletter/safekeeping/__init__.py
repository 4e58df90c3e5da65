"""Backups, putting them back, and moving from SQLite to PostgreSQL."""
