"""Agencies, the people in them who send in news, and how these prove who they are."""
