"""Elasticsearch: what is its own, beside what `tests/contracts/` asks of every engine. A real server answers."""

import httpx


def test_a_real_server_of_one_node_answers(elasticsearch_url: str) -> None:
    assert httpx.get(f"{elasticsearch_url}/_cluster/health").json()["number_of_nodes"] == 1
