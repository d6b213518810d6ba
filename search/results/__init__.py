"""What is shown of an answer, on pages, in the API and in files. No engine of its own, no SQL."""
