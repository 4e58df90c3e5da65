"""What somebody sends in: its kind, its words, its pictures and its revisions."""
