"""Measuring the product by its own path: a throw-away list, a realistic issue, a real send."""
