"""From the database into the index: documents, the indexer, rebuild and comparison. No questions here."""
