"""What exists and who may see it. Knows nothing of DOIs, search engines or the classifier."""
