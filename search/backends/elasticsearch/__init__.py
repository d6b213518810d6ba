"""Elasticsearch as an engine: the only place that talks to it. How questions and answers are put is in its modules."""

from search.backends.elasticsearch.engine import ElasticsearchEngine

__all__ = ["ElasticsearchEngine"]
