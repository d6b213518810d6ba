"""Finding: one neutral query, answered by a backend. Today the backend is the database."""
