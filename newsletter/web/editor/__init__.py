"""Pages for editors and approvers: this quarter, issues, sections, checks, sending."""
