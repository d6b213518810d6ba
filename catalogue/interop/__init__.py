"""Outward forms: pure functions from a PublicRecord to schema.org, citations and, later, further formats. No database here."""
