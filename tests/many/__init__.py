"""Many processes on PostgreSQL, killed while they work: `python -m tests.many --help`."""
