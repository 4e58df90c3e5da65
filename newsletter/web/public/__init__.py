"""Pages for readers: sign up, confirm, choose, leave."""
