"""What people are told about a call, more time for somebody, and the board that shows who is silent."""
