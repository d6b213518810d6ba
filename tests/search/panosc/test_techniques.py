"""The documented table of truth for techniques (section 1.7 of the specification): what is denied is denied of a dataset."""

import pytest

from catalogue.models import Technique, TechniqueAncestor
from tests import factories
from tests.search.panosc.asking import listed, titles
from tests.search.panosc.world import PANET

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

TERMS = {
    "RIXS": "01183", "ASXS": "01275", "GISAXS": "01162", "IXSAS": "01281", "SXSAS": "01282", "MXT": "01313", "XES": "01200",
    "small angle scattering": "01124", "magnetism technique": "01104", "x-ray probe": "01012",
}  # fmt: skip
BELOW = {
    "small angle scattering": ("ASXS", "GISAXS", "IXSAS", "SXSAS"),
    "magnetism technique": ("MXT",),
    "x-ray probe": ("RIXS", "ASXS", "GISAXS", "IXSAS", "SXSAS", "MXT", "XES"),
}
TAGS = (
    ("RIXS",), ("ASXS",), ("GISAXS",), ("IXSAS",), ("SXSAS",), ("MXT",), ("XES",), ("XES", "MXT"), ("XES", "GISAXS"),
    ("XES", "ASXS"),
)  # fmt: skip
XES, SAS, MAGNETISM, X_RAY = (
    {"name": label} for label in ("XES", "small angle scattering", "magnetism technique", "x-ray probe")
)


def no(where: dict[str, str]) -> dict:
    return {name: {"neq": value} for name, value in where.items()}


TRUTH = {
    "XES": (XES, "7 8 9 10"),
    "SAS": (SAS, "2 3 4 5 9 10"),
    "not XES": (no(XES), "1 2 3 4 5 6"),
    "not SAS": (no(SAS), "1 6 7 8"),
    "SAS and magnetism": ({"and": [SAS, MAGNETISM]}, ""),
    "SAS or magnetism": ({"or": [SAS, MAGNETISM]}, "2 3 4 5 6 8 9 10"),
    "SAS and x-ray probe": ({"and": [SAS, X_RAY]}, "2 3 4 5 9 10"),
    "SAS or x-ray probe": ({"or": [SAS, X_RAY]}, "1 2 3 4 5 6 7 8 9 10"),
    "SAS and not x-ray probe": ({"and": [SAS, no(X_RAY)]}, ""),
    "SAS and not magnetism": ({"and": [SAS, no(MAGNETISM)]}, "2 3 4 5 9 10"),
}


@pytest.fixture
def archive():
    terms = {
        label: Technique.objects.create(iri=f"{PANET}{number}", label=label, source="PaNET")
        for label, number in TERMS.items()
    }
    for label, term in terms.items():
        TechniqueAncestor.objects.create(technique=term, ancestor=term)
        for below in BELOW.get(label, ()):
            TechniqueAncestor.objects.create(technique=terms[below], ancestor=term)
    session = factories.make_investigation(is_open=True)
    for number, tags in enumerate(TAGS, 1):
        factories.make_dataset(session, title=str(number)).techniques.set(terms[tag] for tag in tags)
    factories.make_dataset(session, title="without a technique")


@pytest.mark.parametrize("where, expected", TRUTH.values(), ids=TRUTH)
def test_the_table_of_truth_holds(archive, where, expected):
    assert (
        titles("Datasets", filter={"include": [{"relation": "techniques", "scope": {"where": where}}]})
        == expected.split()
    )


@pytest.mark.parametrize("name", ["pid", "panetId"])
def test_terms_are_named_by_their_address_too(archive, name):
    where = {name: {"inq": [f"{PANET}01124", f"{PANET}01313"]}}
    scope = {"relation": "techniques", "scope": {"where": where}}
    assert titles("Datasets", filter={"include": [scope]}) == "2 3 4 5 6 8 9 10".split()
    denied = {"relation": "techniques", "scope": {"where": {name: {"nin": where[name]["inq"]}}}}
    assert titles("Datasets", filter={"include": [denied]}) == "1 7".split()


def test_two_includes_of_techniques_both_hold_each_by_its_own_tag(archive):
    scopes = [{"relation": "techniques", "scope": {"where": where}} for where in (XES, SAS)]
    assert titles("Datasets", filter={"include": scopes}) == ["9", "10"]


def test_techniques_are_expanded_below_documents_too(archive):
    scope = {"relation": "datasets", "scope": {"include": [{"relation": "techniques", "scope": {"where": SAS}}]}}
    (document,) = listed("Documents", filter={"include": [scope]})
    assert [one["title"] for one in document["datasets"]] == "2 3 4 5 9 10".split()
    shown = {one["title"]: [tag["name"] for tag in one["techniques"]] for one in document["datasets"]}
    assert shown["9"] == ["GISAXS"]
