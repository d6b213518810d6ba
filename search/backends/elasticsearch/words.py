"""Words of the index by their beginning or by likeness, counted in what the asker may see. Bodies of requests, and answers read.

Likeness takes two rounds: the server proposes words of the whole index, and those that nobody shows the asker are left out.
"""

import re
from typing import Any

from elasticsearch.dsl import A, Search

from search.backends.elasticsearch.queries import query_of, visible
from search.clauses import AnyOf, Clause, Either, Prefix, Term
from search.documents import WORDS
from search.fields import BY_NAME, Kind

Json = dict[str, Any]
# Of so many documents the words of texts are counted, which is enough to know the frequent ones.
SAMPLED = 20_000
# So many words of each field are looked at, the closest first.
MOST_PROPOSED = 1_000
MOST_EDITS = 2
LONGEST_WORD = 64
LONGEST_PREFIX = 300
_SYNTAX = re.compile(r"""[.?+*|{}()\[\]"\\#@&<>~^$/-]""")


def prefix_body(prefix: str, field: str, access: Clause, *, limit: int) -> Json:
    """Counts of the values of `field` that begin with `prefix`; read by `prefix_words`."""
    matching = visible(access)
    options: Json = {"field": field, "size": limit, "order": [{"_count": "desc"}, {"_key": "asc"}]}
    if prefix:
        matching &= query_of(Prefix(field, prefix))
        options["include"] = _SYNTAX.sub(lambda match: "\\" + match[0], prefix) + ".*"
    search = Search().query("bool", filter=[matching])
    if BY_NAME[field].kind is Kind.KEYWORD:
        search.aggs.bucket("words", A("terms", **options))
    else:
        # The words of texts are too many to be numbered over all of the index after each write.
        options["execution_hint"] = "map"
        options["field"] = f"{WORDS}.{field}" if BY_NAME[field].kind is Kind.TEXT else field
        search.aggs.bucket("sample", "sampler", shard_size=SAMPLED).bucket("words", A("terms", **options))
    body: Json = search.extra(size=0, track_total_hits=False).to_dict()
    return body


def prefix_words(answer: Json) -> list[str]:
    found = answer["aggregations"]
    buckets = found.get("sample", found)["words"]["buckets"]
    return [bucket["key"] for bucket in buckets]


def proposal_body(word: str, fields: tuple[str, ...]) -> Json:
    """Words of the index that are like `word`; read by `proposed_words`."""
    options = {
        "suggest_mode": "always",
        "max_edits": MOST_EDITS,
        "prefix_length": 0,
        "min_word_length": 1,
        "max_term_freq": 1_000_000_000,
        "accuracy": 0.01,
        "size": MOST_PROPOSED,
        "shard_size": MOST_PROPOSED,
    }
    suggest = {field: {"text": word, "term": {"field": field, **options}} for field in fields}
    return {"size": 0, "suggest": suggest}


def proposed_words(word: str, answer: Json) -> list[str]:
    """The closest first, at most MOST_PROPOSED."""
    texts = {
        option["text"] for entries in answer["suggest"].values() for entry in entries for option in entry["options"]
    }
    distances = {text: edits(word, text) for text in texts}
    near = [text for text in texts if distances[text] <= MOST_EDITS]
    return sorted(near, key=lambda text: (distances[text], text))[:MOST_PROPOSED]


def count_body(words: list[str], fields: tuple[str, ...], access: Clause) -> Json:
    """In how many visible documents each of `words` is; read by `seen_words`."""
    anywhere = Either(tuple(AnyOf(field, tuple(words)) for field in fields))
    search = Search().query("bool", filter=[visible(access), query_of(anywhere)])
    filters = {word: query_of(Either(tuple(Term(field, word) for field in fields))) for word in words}
    search.aggs.bucket("words", "filters", filters=filters)
    body: Json = search.extra(size=0, track_total_hits=False).to_dict()
    return body


def seen_words(word: str, answer: Json) -> list[str]:
    """Those that are in any visible document, the closest to `word` first, the more frequent first among these."""
    buckets = answer["aggregations"]["words"]["buckets"]
    known = [(edits(word, one), -bucket["doc_count"], one) for one, bucket in buckets.items() if bucket["doc_count"]]
    return [one for _, _, one in sorted(known)]


def edits(one: str, other: str) -> int:
    """Insertions, deletions and substitutions that make `other` of `one`; where they are surely too many, any such number."""
    if abs(len(one) - len(other)) > MOST_EDITS:
        return MOST_EDITS + 1
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        diagonal, row[0] = row[0], place
        for at, other_letter in enumerate(other, start=1):
            cost = min(row[at] + 1, row[at - 1] + 1, diagonal + (letter != other_letter))
            diagonal, row[at] = row[at], cost
    return row[-1]
