"""Pages about oneself: signing in and out, the second step, the password."""
