"""Outward forms: pure functions from a PublicRecord or a Publication to schema.org, DataCite and citations. No database here."""
