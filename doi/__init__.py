"""Identifiers: the only package that may import `datacite`. Its models and tasks come with the DOI work."""
