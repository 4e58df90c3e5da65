"""What there is to say about an issue that was sent: its accounts, its report, and what stays of them."""
