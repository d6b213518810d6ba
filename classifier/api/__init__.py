"""The classifier in the REST API."""
