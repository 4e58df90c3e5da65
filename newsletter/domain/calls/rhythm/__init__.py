"""The rhythm of a list: its rules, a year laid out by them, and what stands in calendars."""
