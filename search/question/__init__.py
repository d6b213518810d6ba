"""What is asked: the neutral query, what people type, and the request that an engine gets. No engine, no page."""
