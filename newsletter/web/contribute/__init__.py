"""Pages for people in partner agencies: the open call, sending in news."""
