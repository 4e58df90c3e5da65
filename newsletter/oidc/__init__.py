"""The organisation's own sign-in service, spoken to by OpenID Connect. Knows nothing of accounts."""
