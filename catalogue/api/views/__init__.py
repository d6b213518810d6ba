"""Views of the API: each reads what was sent, calls one selector or service, and answers."""
