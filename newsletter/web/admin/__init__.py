"""Pages for administrators: first set-up, staff, lists, the mailbox, notices."""
