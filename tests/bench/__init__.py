"""How fast it sends, beside Postfix's own client on the same sink: `python -m tests.bench --help`."""
