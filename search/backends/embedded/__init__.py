"""The embedded engine: a Tantivy index on local disk, without a server. The only place that imports `tantivy`."""

from search.backends.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
