"""The reference server's behaviours over an imported database: lists, counts, includes, parameters; and where ours does better."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from catalogue.access import SYSTEM, principal_of
from catalogue.entries import PersonEntry
from catalogue.models import Datafile, Investigation, Technique
from catalogue.services.investigations import update_investigation
from catalogue.services.panosc_import import import_panosc
from catalogue.services.vocabularies import load_techniques
from catalogue.vocabularies.techniques import PANET, TechniqueTerm, read_own_table
from tests import factories, services
from tests.panosc_database import (
    BEER,
    COPPER,
    CREATED,
    FOUR,
    LOKI,
    ODIN,
    ONE,
    PAPER,
    PROPOSAL,
    SANS,
    STEEL,
    THREE,
    TWO,
    XAS,
    content_of,
    dataset,
    joined,
    tables,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
SEED = services.SHARED / "panosc" / "seed-db.json"


@pytest.fixture
def ask(client, db):
    """A function that asks `/panosc/api/…` and gives the answer's JSON."""
    factories.make_licence()
    load_techniques(actor=SYSTEM, terms=read_own_table())

    def ask(path: str, *, status: int = 200, **arguments: Any) -> Any:
        sent = {name: one if isinstance(one, str) else json.dumps(one) for name, one in arguments.items()}
        response = client.get(f"/panosc/api/{path}", sent)
        assert response.status_code == status, response.content
        return response.json()

    return ask


@pytest.fixture
def imported(ask):
    import_panosc(actor=SYSTEM, content=content_of(tables()))
    return ask


@pytest.fixture
def reference(ask):
    if not SEED.is_file():
        pytest.skip("the fixtures of the reference server are not on this machine")
    import_panosc(actor=SYSTEM, content=SEED.read_bytes())
    return ask


def pids(items: list[dict[str, Any]]) -> list[str]:
    return [item["pid"] for item in items]


def test_each_list_and_count_is_that_of_the_file(imported):
    assert sorted(pids(imported("Datasets"))) == sorted([ONE, TWO, THREE, FOUR])
    assert sorted(pids(imported("Documents"))) == sorted([PAPER, PROPOSAL])
    assert sorted(pids(imported("Instruments"))) == sorted([LOKI, ODIN, BEER])
    assert imported("Datasets/count") == {"count": 4}
    assert imported("Documents/count") == {"count": 2}
    assert imported("Instruments/count", where={"name": "LoKI"}) == {"count": 1}


def test_a_dataset_is_as_it_was(imported):
    found = imported(f"Datasets/{quote(ONE, safe='')}")
    assert {name: found[name] for name in ("pid", "title", "isPublic", "creationDate", "instrumentId")} == {
        "pid": ONE,
        "title": "Cylinder, first scan",
        "isPublic": True,
        "creationDate": CREATED,
        "instrumentId": LOKI,
    }


def test_documents_keep_type_text_and_times(imported):
    paper = imported(f"Documents/{quote(PAPER, safe='')}")
    assert (paper["type"], paper["title"], paper["summary"]) == ("publication", "On cylinders", "Round ones.")
    assert (paper["releaseDate"], paper["keywords"]) == ("2021-06-01T12:00:00.000Z", ["copper"])
    proposal = imported(f"Documents/{quote(PROPOSAL, safe='')}")
    assert proposal["type"] == "proposal"
    assert proposal["startDate"] == "2020-05-01T08:00:00.000Z"
    assert proposal["endDate"] == "2020-05-08T08:00:00.000Z"
    assert proposal["releaseDate"] == "2020-12-31T23:59:59.123Z"


def test_pids_are_found_in_conditions(imported):
    assert pids(imported("Datasets", filter={"where": {"pid": {"inq": [ONE, FOUR]}}})) == [ONE, FOUR]
    assert pids(imported("Datasets", filter={"where": {"instrumentId": ODIN}})) == [TWO, FOUR]
    assert pids(imported("Datasets", filter={"where": {"pid": {"like": "dataset-t"}}})) == [TWO, THREE]
    assert pids(imported("Instruments", filter={"where": {"pid": ODIN}})) == [ODIN]
    assert imported(f"Datasets/{quote('20.500.99999/lost', safe='')}", status=404)["error"]["code"] == "MODEL_NOT_FOUND"


def test_includes_lead_to_what_the_join_tables_say(imported):
    relations = ["documents", "techniques", "instrument", "files", "parameters", "samples"]
    found = imported("Datasets", filter={"where": {"pid": ONE}, "include": [{"relation": one} for one in relations]})[0]
    assert pids(found["documents"]) == [PAPER]
    assert [one["panetId"] for one in found["techniques"]] == [f"{PANET}PaNET01189"]
    assert (found["instrument"]["pid"], found["instrument"]["facility"]) == (LOKI, "ESS")
    assert [(one["name"], one["size"], one["datasetId"]) for one in found["files"]] == [("raw/one.hdf", 100, ONE)]
    assert [(one["name"], one["value"]) for one in found["parameters"]] == [("chemical_formula", "Cu")]
    assert [one["name"] for one in found["samples"]] == ["solid copper cylinder"]
    assert imported(f"Datasets/{quote(ONE, safe='')}/files/count") == {"count": 1}


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def test_everything_keeps_the_id_that_it_came_with(imported):
    relations = ["files", "parameters", "samples", "techniques"]
    found = imported(f"Datasets/{quote(THREE, safe='')}", filter={"include": relations})
    assert (ids(found["parameters"]), pids(found["samples"])) == (["3"], [STEEL])
    assert [(one["pid"], one["panetId"]) for one in found["techniques"]] == [(XAS, f"{PANET}PaNET01227")]
    files = imported(f"Datasets/{quote(TWO, safe='')}/files", filter={"fields": ["id", "name"]})
    assert files == [{"id": "2", "name": "two.hdf"}]
    include = [{"relation": "members", "scope": {"include": ["person", "affiliation"]}}, "parameters"]
    proposal, paper = (
        imported(f"Documents/{quote(pid, safe='')}", filter={"include": include}) for pid in (PROPOSAL, PAPER)
    )
    people = [(one["id"], one["role"], one["person"]["id"], one["affiliation"]["id"]) for one in proposal["members"]]
    assert people == [("2", "principal investigator", "p1", "1"), ("1", "owner", "p2", "1")]
    assert (ids(paper["members"]), ids(paper["parameters"])) == (["3"], ["5"])


def test_ids_are_found_in_conditions_and_a_technique_by_its_term_too(imported):
    def having(relation: str, **where: Any) -> list[str]:
        return pids(imported("Datasets", filter={"include": [{"relation": relation, "scope": {"where": where}}]}))

    assert having("samples", pid=COPPER) == [ONE, TWO]
    assert having("samples", pid={"neq": COPPER}) == [THREE, FOUR]
    assert having("files", id="1") == [ONE]
    assert having("parameters", id={"inq": ["2", "4"]}) == [TWO, FOUR]
    assert having("techniques", pid=SANS) == having("techniques", pid=f"{PANET}PaNET01189") == [ONE, TWO]
    assert having("techniques", pid={"like": "xas"}) == [THREE, FOUR]
    role = {"relation": "members", "scope": {"where": {"role": "owner"}}}
    assert pids(imported("Documents", filter={"include": [role]})) == [PROPOSAL]
    person = {"relation": "person", "scope": {"where": {"id": "p1"}}}
    members = {"relation": "members", "scope": {"include": [person]}}
    assert pids(imported("Documents", filter={"include": [members]})) == [PROPOSAL]


@pytest.fixture
def mixed(ask):
    """What is one thing here may be two there: samples of one name, techniques of one term, parts of one person."""
    file = tables()
    sans = file["Technique"][SANS]
    file["Technique"]["t2"] = {"pid": "t2", "name": "SANS at LoKI", "panetId": sans["panetId"]}
    file["DatasetTechnique"]["2"]["techniqueId"] = "t2"
    file["DatasetTechnique"]["9"] = {"id": 9, "datasetId": ONE, "techniqueId": "t2"}
    file["Sample"]["s2"] = {"pid": "s2", "name": "steel", "description": "rusty"}
    file["DatasetSample"]["4"]["sampleId"] = "s2"
    file["Person"]["p3"] = file["Person"]["p1"] | {"id": "p3"}
    file["Affiliation"] |= {
        "2": {"id": 2, "name": "ESS", "city": "Copenhagen", "country": "Denmark"},
        "3": file["Affiliation"]["1"] | {"id": 3},
    }
    file["Member"] |= {
        "4": {"id": 4, "role": "proposer", "documentId": PROPOSAL, "personId": "p3", "affiliationId": 2},
        "5": {"id": 5, "documentId": PAPER, "personId": "p1", "affiliationId": 3},
    }
    file["DocumentDataset"]["9"] = {"id": 9, "datasetId": THREE, "documentId": PAPER}
    import_panosc(actor=SYSTEM, content=content_of(file))
    return ask


def test_two_samples_of_one_name_keep_pid_and_name(mixed):
    found = mixed("Datasets", filter={"include": ["samples"], "order": "pid DESC"})
    told = {one["pid"]: (one["samples"][0]["pid"], one["samples"][0]["name"]) for one in found}
    assert (told[THREE], told[FOUR]) == ((STEEL, "steel"), ("s2", "steel"))
    for where, expected in (
        ({"name": "steel"}, [THREE, FOUR]),
        ({"name": {"neq": "steel"}}, [ONE, TWO]),
        ({"name": "steel (s2)"}, []),
        ({"pid": "s2"}, [FOUR]),
        ({"text": "STEEL"}, [THREE, FOUR]),
    ):
        include = [{"relation": "samples", "scope": {"where": where}}]
        assert pids(mixed("Datasets", filter={"include": include})) == expected, where


def test_techniques_of_one_term_keep_pid_and_name(mixed):
    found = {one["pid"]: one["techniques"] for one in mixed("Datasets", filter={"include": ["techniques"]})}
    assert [(one["pid"], one["name"]) for one in found[TWO]] == [("t2", "SANS at LoKI")]
    assert sorted(pids(found[ONE])) == [SANS, "t2"]
    assert {one["panetId"] for one in found[ONE]} == {f"{PANET}PaNET01189"}
    for where, expected in (
        ({"pid": "t2"}, [ONE, TWO]),
        ({"name": "small-angle neutron scattering"}, [ONE, TWO]),
        ({"name": "SANS at LoKI"}, [ONE, TWO]),
        ({"name": {"ilike": "loki"}}, [ONE, TWO]),
        ({"pid": {"neq": SANS}}, [THREE, FOUR]),
        ({"panetId": f"{PANET}PaNET01189"}, [ONE, TWO]),
    ):
        include = [{"relation": "techniques", "scope": {"where": where}}]
        assert pids(mixed("Datasets", filter={"include": include})) == expected, where


MEMBERS = [{"relation": "members", "scope": {"include": ["person", "affiliation"]}}]


def test_two_parts_of_one_person_are_two_members(mixed):
    proposal = mixed(f"Documents/{quote(PROPOSAL, safe='')}", filter={"include": MEMBERS})
    told = [
        (one["id"], one["role"], one["person"]["id"], one["person"]["fullName"], one["affiliation"]["city"])
        for one in proposal["members"]
    ]
    assert told == [
        ("2", "principal investigator", "p1", "Ada Maria Lovelace", "Lund"),
        ("1", "owner", "p2", "James Chadwick", "Lund"),
        ("4", "proposer", "p3", "Ada Maria Lovelace", "Copenhagen"),
    ]


def test_members_of_a_publication_are_its_own_even_where_a_proposal_has_its_data(mixed):
    paper = mixed(f"Documents/{quote(PAPER, safe='')}", filter={"include": MEMBERS})
    told = [(one["id"], one["person"]["fullName"], one["affiliation"]["id"]) for one in paper["members"]]
    assert told == [("3", "James Chadwick", "1"), ("5", "Ada Maria Lovelace", "3")]
    assert "role" not in paper["members"][1]
    include = [
        {"relation": "members", "scope": {"include": [{"relation": "person", "scope": {"where": {"id": "p1"}}}]}}
    ]
    assert pids(mixed("Documents", filter={"include": include})) == [PROPOSAL, PAPER]


def test_affiliations_have_their_addresses(mixed):
    def of(**where: str) -> list[str]:
        scope = {"include": [{"relation": "affiliation", "scope": {"where": where}}]}
        return pids(mixed("Documents", filter={"include": [{"relation": "members", "scope": scope}]}))

    paper = mixed(f"Documents/{quote(PAPER, safe='')}", filter={"include": MEMBERS})
    assert paper["members"][0]["affiliation"] == {
        "id": "1", "name": "ESS", "address": "Odarslövsvägen 113", "city": "Lund", "country": "Sweden",
    }  # fmt: skip
    assert of(country="Denmark") == [PROPOSAL]
    assert of(text="LUND") == [PROPOSAL, PAPER]
    assert of(id="3") == [PAPER]
    assert of(address="nowhere") == []


def test_a_team_that_is_changed_here_is_shown_as_it_is_here(mixed):
    entry = PersonEntry(family_name="Lovelace", given_name="Ada Maria", orcid="0000-0002-1825-0097", role="pi")
    uid = Investigation.objects.get(doi=PROPOSAL).uid
    update_investigation(
        actor=principal_of(factories.make_curator()), uid=uid, changes={"team": (entry,)}, expected_version=None
    )
    proposal = mixed(f"Documents/{quote(PROPOSAL, safe='')}", filter={"include": MEMBERS})
    assert [(one["role"], one["person"]["fullName"]) for one in proposal["members"]] == [
        ("principal investigator", "Ada Maria Lovelace")
    ]


def test_what_was_registered_here_keeps_its_own_ids(imported, tmp_path):
    investigation = factories.make_investigation(is_open=True)
    sample = factories.make_sample(investigation)
    own = factories.make_dataset(investigation, sample=sample)
    own.techniques.add(Technique.objects.get(iri=f"{PANET}PaNET01189"))
    storage = factories.make_storage(tmp_path)
    file = Datafile.objects.create(dataset=own, storage=storage, path="ours.tif", name="ours.tif")
    found = imported(f"Datasets/{own.uid}", filter={"include": ["files", "samples", "techniques"]})
    assert pids(found["techniques"]) == [f"{PANET}PaNET01189"]
    assert (ids(found["files"]), pids(found["samples"])) == ([str(file.pk)], [str(sample.uid)])


def test_documents_lead_to_data_people_and_parameters(imported):
    include = [{"relation": "members", "scope": {"include": [{"relation": "person"}, {"relation": "affiliation"}]}}]
    proposal, paper = (
        imported(f"Documents/{quote(pid, safe='')}", filter={"include": [*include, "datasets", "parameters"]})
        for pid in (PROPOSAL, PAPER)
    )
    people = [(one["role"], one["person"]["fullName"], one["affiliation"]["name"]) for one in proposal["members"]]
    assert people == [("principal investigator", "Ada Maria Lovelace", "ESS"), ("owner", "James Chadwick", "ESS")]
    assert pids(proposal["datasets"]) == [THREE, FOUR]
    assert [one["person"]["fullName"] for one in paper["members"]] == ["James Chadwick"]
    assert pids(paper["datasets"]) == [ONE, TWO]
    stated = [(one["name"], one["value"], one["unit"], one["documentId"]) for one in paper["parameters"]]
    assert stated == [("wavelength", 1064, "nm", PAPER)]
    assert proposal["parameters"] == []


def test_an_include_with_a_condition_is_an_inner_join_before_the_limit(imported):
    """The reference server limits first and answers `[]` here."""
    scope = {"relation": "techniques", "scope": {"where": {"panetId": f"{PANET}PaNET01227"}}}
    assert pids(imported("Datasets", filter={"include": [scope]})) == [THREE, FOUR]
    assert pids(imported("Datasets", filter={"include": [scope], "limit": 1})) == [THREE]
    two_deep = {
        "relation": "datasets",
        "scope": {"include": [{"relation": "parameters", "scope": {"where": {"name": "temperature"}}}]},
    }
    assert pids(imported("Documents", filter={"include": [two_deep]})) == [PROPOSAL]
    person = {"relation": "person", "scope": {"where": {"fullName": "Ada Maria Lovelace"}}}
    members = {"relation": "members", "scope": {"include": [person]}}
    assert pids(imported("Documents", filter={"include": [members]})) == [PROPOSAL]


def test_parameters_of_documents_are_not_those_of_their_datasets(imported):
    for name, expected in (("wavelength", [PAPER]), ("temperature", []), ("photon_energy", [])):
        include = [{"relation": "parameters", "scope": {"where": {"name": name}}}]
        assert pids(imported("Documents", filter={"include": include})) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"and": [{"name": "wavelength"}, {"value": 1064}, {"unit": "nm"}]}, [FOUR]),
        ({"and": [{"name": "wavelength"}, {"value": {"between": [1.0, 1.1]}}, {"unit": "µm"}]}, [FOUR]),
        ({"and": [{"name": "temperature"}, {"value": {"lt": 294}}, {"unit": "K"}]}, [THREE]),
        ({"and": [{"name": "temperature"}, {"value": {"gte": 20}}, {"unit": "celsius"}]}, [THREE]),
        ({"and": [{"name": "photon_energy"}, {"value": {"gt": 0.9}}, {"unit": "keV"}]}, [TWO]),
        ({"and": [{"name": "photon_energy"}, {"value": {"lte": 930}}, {"unit": "eV"}]}, [TWO]),
        ({"and": [{"name": "photon_energy"}, {"value": {"gt": 1}}, {"unit": "keV"}]}, []),
        ({"and": [{"name": "photon_energy"}, {"value": 930}, {"unit": "K"}]}, []),
        ({"and": [{"name": "chemical_formula"}, {"value": "Cu"}]}, [ONE]),
    ],
)
def test_parameters_are_compared_in_si_by_every_operator(imported, condition, expected):
    """The reference server compares units as texts, and matches nothing by gte, lte, inq and neq."""
    include = [{"relation": "parameters", "scope": {"where": condition}}]
    assert pids(imported("Datasets", filter={"include": include})) == expected


def test_a_quantity_is_answered_in_the_unit_that_was_asked_for(imported):
    where = {"and": [{"name": "temperature"}, {"value": {"gt": 0}}, {"unit": "K"}]}
    found = imported("Datasets", filter={"include": [{"relation": "parameters", "scope": {"where": where}}]})
    assert [(one["value"], one["unit"]) for one in found[0]["parameters"]] == [(pytest.approx(293.15), "K")]


# Labels of the truth table of the reference's documentation, with the broader terms of each.
TAGS = {
    "01183": ("RIXS", ()),
    "01275": ("ASXS", ("01124",)),
    "01162": ("GISAXS", ("01124",)),
    "01281": ("IXSAS", ("01124",)),
    "01282": ("SXSAS", ("01124",)),
    "01313": ("MXT", ("90001",)),
    "01200": ("XES", ()),
}
BROADER = {"01124": "small angle scattering", "90001": "magnetism technique", "90002": "x-ray probe"}
TAGGED = {
    1: ["01183"], 2: ["01275"], 3: ["01162"], 4: ["01281"], 5: ["01282"], 6: ["01313"], 7: ["01200"],
    8: ["01200", "01313"], 9: ["01200", "01162"], 10: ["01200", "01275"],
}  # fmt: skip


def iri(number: str) -> str:
    return f"{PANET}PaNET{number}"


@pytest.fixture
def tagged(ask):
    """Ten datasets in a file, tagged as in the documentation."""
    terms = [TechniqueTerm(iri(number), label, (), "", (), "PaNET") for number, label in BROADER.items()]
    for number, (label, above) in TAGS.items():
        parents = tuple(iri(one) for one in (*above, "90002"))
        terms.append(TechniqueTerm(iri(number), label, (), "", parents, "PaNET"))
    load_techniques(actor=SYSTEM, terms=terms)
    file = tables()
    file["Dataset"] = {str(one): dataset(str(one), f"Dataset {one}", LOKI) for one in TAGGED}
    file["Technique"] = {
        f"t-{number}": {"pid": f"t-{number}", "name": label, "panetId": iri(number)}
        for number, (label, _) in TAGS.items()
    }
    links = [(str(one), f"t-{number}") for one, numbers in TAGGED.items() for number in numbers]
    file["DatasetTechnique"] = {
        str(place): {"id": place, "datasetId": one, "techniqueId": other} for place, (one, other) in enumerate(links)
    }
    file |= {name: {} for name in ("File", "Parameter", "DatasetSample", "Member")}
    file["DocumentDataset"] = joined("documentId", dict.fromkeys(file["Dataset"], PROPOSAL))
    import_panosc(actor=SYSTEM, content=content_of(file))
    return ask


XES, SAS, MAGNETISM, XRAY = iri("01200"), iri("01124"), iri("90001"), iri("90002")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"pid": XES}, [7, 8, 9, 10]),
        ({"pid": SAS}, [2, 3, 4, 5, 9, 10]),
        ({"pid": {"neq": XES}}, [1, 2, 3, 4, 5, 6]),
        ({"pid": {"neq": SAS}}, [1, 6, 7, 8]),
        ({"and": [{"pid": SAS}, {"pid": MAGNETISM}]}, []),
        ({"or": [{"pid": SAS}, {"pid": MAGNETISM}]}, [2, 3, 4, 5, 6, 8, 9, 10]),
        ({"and": [{"pid": SAS}, {"pid": XRAY}]}, [2, 3, 4, 5, 9, 10]),
        ({"or": [{"pid": SAS}, {"pid": XRAY}]}, list(range(1, 11))),
        ({"and": [{"pid": SAS}, {"pid": {"neq": XRAY}}]}, []),
        ({"and": [{"pid": SAS}, {"pid": {"neq": MAGNETISM}}]}, [2, 3, 4, 5, 9, 10]),
    ],
)
def test_the_documented_truth_table_of_techniques_holds(tagged, where, expected):
    """All ten rows; the reference server has eight of them, since it denies tag by tag."""
    found = tagged("Datasets", filter={"include": [{"relation": "techniques", "scope": {"where": where}}]})
    assert sorted(int(pid) for pid in pids(found)) == expected


def test_a_local_pid_and_a_handle_name_what_they_named(ask):
    file = tables()
    file["Document"]["20.500.99999/p5"] = {
        "pid": "20.500.99999/p5", "isPublic": True, "type": "proposal", "title": "By handle",
    }  # fmt: skip
    file["Dataset"]["d5"] = dataset("d5", "Local", "bench one")
    file["Instrument"]["bench one"] = {"pid": "bench one", "name": "Bench", "facility": "ESS"}
    file["DocumentDataset"]["9"] = {"datasetId": "d5", "documentId": "20.500.99999/p5"}
    import_panosc(actor=SYSTEM, content=content_of(file))
    found = ask("Datasets/d5", filter={"include": ["documents", "instrument"]})
    assert (found["pid"], pids(found["documents"])) == ("d5", ["20.500.99999/p5"])
    assert ask(f"Documents/{quote('20.500.99999/p5', safe='')}")["title"] == "By handle"
    assert pids(ask("Documents", filter={"where": {"pid": "20.500.99999/p5"}})) == ["20.500.99999/p5"]


def test_the_fixtures_of_the_reference_server_answer_as_they_do_there(reference):
    assert reference("Datasets/count") == {"count": 4}
    assert reference("Documents/count") == {"count": 2}
    assert reference("Instruments/count") == {"count": 15}
    loki = reference("Instruments", filter={"where": {"name": "LoKI"}})
    assert pids(loki) == ["20.500.12269/0f98fcf2-7bd7-430e-ad20-d47031ca8f71"]
    assert loki[0]["facility"] == "ESS"
    first = reference("Datasets/20.500.12269%2Fpanosc-dataset1/files")
    assert [one["name"] for one in first] == ["panosc-file1.hdf"]
    scope = {"and": [{"name": "wavelength"}, {"value": {"between": [1000, 1100]}}, {"unit": "nm"}]}
    found = reference("Datasets", filter={"include": [{"relation": "parameters", "scope": {"where": scope}}]})
    assert pids(found) == ["20.500.12269/panosc-dataset4"]
    members = {"relation": "members", "scope": {"where": {"role": "principal investigator"}, "include": ["person"]}}
    documents = reference("Documents", filter={"include": [members], "order": "pid ASC"})
    leaders = [one["members"][0]["person"]["fullName"] for one in documents]
    assert leaders == ["John Smith", "James Chadwick"]
    everyone = {"relation": "members", "scope": {"include": ["person", "affiliation"]}}
    proposal = reference("Documents/10.5072%2Fpanosc-document2", filter={"include": [everyone]})
    people = {one["id"]: (one["role"], one["person"]["id"], one["affiliation"]["id"]) for one in proposal["members"]}
    assert people == {"3": ("principal investigator", "panosc-person2", "1"), "4": ("owner", "panosc-person1", "1")}
    small = reference("Datasets/20.500.12269%2Fpanosc-dataset1", filter={"include": ["samples", "techniques"]})
    assert pids(small["samples"] + small["techniques"]) == ["20.500.12269/panosc-sample1", "20.500.12269/panosc-tech1"]


def test_everything_that_is_imported_is_found_by_words(imported, build_index):
    build_index()
    assert pids(imported("Datasets", query="cold plates")) == [THREE, FOUR]
    assert pids(imported("Documents", query="cylinders")) == [PAPER]
    scored = imported("Instruments", query="LoKI")
    assert [(one["pid"], one["score"]) for one in scored] == [(LOKI, 1.0)]
