"""The REST API `/api/v1/`: serializers and thin views over selectors and services."""
