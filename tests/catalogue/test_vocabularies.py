"""Vocabularies are complete, agree with their sources, and say what is wrong with a bad one."""

import csv
import re
from pathlib import Path

import pytest
from defusedxml import ElementTree

from catalogue.extraction import names
from catalogue.units import convert, to_si
from catalogue.vocabularies import datacite_types, licences
from catalogue.vocabularies.standard_names import GROUPS, STANDARD_NAMES, label_for
from catalogue.vocabularies.techniques import (
    ELECTRON_MICROSCOPY,
    FAIRCAT,
    PANET_ROOT,
    TECHNIQUE_KEYS,
    TechniqueTerm,
    find_problems,
    read_esrfet,
    read_own_table,
    read_panet_csv,
)

SHARED = Path(__file__).parents[2] / "../shared"
PANET_CSV = SHARED / "vocabularies/PaNET.csv"
KERNELS = SHARED / "conformance-schemas/datacite"
needs_panet = pytest.mark.skipif(not PANET_CSV.exists(), reason="the official PaNET.csv is not on this machine")
needs_schemas = pytest.mark.skipif(not KERNELS.exists(), reason="DataCite's schema files are not on this machine")

PANET_HEADINGS = (
    ",ID,Label,Alt Label 1,Alt Label 2,Definition,Definition Source,RDF Type,Parent IRI,Parent IRI,Equivalent\n"
    ",ID,A rdfs:label,A skos:altLabel,A skos:altLabel,A IAO:0000115,A IAO:0000119,TYPE,SC %,SC %,EC %\n"
)
PREFIX = "http://purl.org/pan-science/PaNET/"


def term(iri: str, *parents: str) -> TechniqueTerm:
    return TechniqueTerm(iri, f"label of {iri}", (), "", parents, "Faircat")


def ancestors(terms: dict[str, TechniqueTerm], iri: str) -> set[str]:
    found: set[str] = set()
    waiting = [iri]
    while waiting:
        for parent in terms[waiting.pop()].parent_iris:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


@pytest.fixture(scope="module")
def own_terms() -> dict[str, TechniqueTerm]:
    return {term.iri: term for term in read_own_table()}


def test_our_own_table_has_no_problems(own_terms):
    assert find_problems(own_terms.values()) == []
    assert len(own_terms) > 380


def test_every_technique_hangs_below_the_root_of_panet(own_terms):
    assert {iri for iri in own_terms if PANET_ROOT not in ancestors(own_terms, iri)} == {PANET_ROOT}


@pytest.mark.parametrize("key", ["SEM", "TEM", "STEM", "EDS", "EBSD", "FIB", "FIB-SEM", "EELS", "CRYO-EM"])
def test_the_terms_that_panet_lacks_stand_under_electron_microscopy(own_terms, key):
    iri = TECHNIQUE_KEYS[key]
    assert iri == f"{FAIRCAT}{key}"
    assert own_terms[iri].source == "Faircat"
    assert own_terms[iri].definition
    assert ELECTRON_MICROSCOPY in ancestors(own_terms, iri)


@pytest.mark.parametrize("key", sorted(TECHNIQUE_KEYS))
def test_every_short_key_names_a_term_of_our_table(own_terms, key):
    assert TECHNIQUE_KEYS[key] in own_terms


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("SAXS", "small angle x-ray scattering"),
        ("WAXS", "wide angle x-ray scattering"),
        ("SANS", "small angle neutron scattering"),
        ("XRF", "x-ray fluorescence"),
        ("XRD", "x-ray diffraction"),
        ("XANES", "x-ray absorption near edge structure"),
        ("EXAFS", "extended x-ray absorption fine structure"),
        ("XAS", "x-ray absorption spectroscopy"),
        ("STXM", "scanning transmission x-ray microscopy"),
        ("ARPES", "angle resolved photoemission spectroscopy"),
        ("MX", "macromolecular crystallography"),
        ("tomography", "tomography"),
        ("ptychography", "ptychography"),
        ("EM", "electron microscopy"),
    ],
)
def test_short_keys_mean_what_scientists_mean_by_them(own_terms, key, label):
    assert own_terms[TECHNIQUE_KEYS[key]].label == label


@needs_panet
def test_our_table_restates_panet_exactly(own_terms):
    official = {term.iri: term for term in read_panet_csv(PANET_CSV)}
    assert {iri: term for iri, term in own_terms.items() if term.source == "PaNET"} == {
        iri: TechniqueTerm(
            t.iri, t.label, t.alternative_labels, " ".join(t.definition.split()), t.parent_iris, t.source
        )
        for iri, t in official.items()
    }


@needs_panet
def test_iris_and_labels_of_our_table_stand_in_the_official_file(own_terms):
    with PANET_CSV.open(encoding="utf-8-sig", newline="") as stream:
        official = {(row[1], row[2].strip()) for row in csv.reader(stream)}
    assert {(t.iri, t.label) for t in own_terms.values() if t.source == "PaNET"} <= official


def test_parents_follow_from_labels_short_iris_conjunctions_and_restrictions(tmp_path):
    path = tmp_path / "PaNET.csv"
    path.write_text(
        PANET_HEADINGS
        + f",{PREFIX}PaNET00001,photon and neutron technique,,,,,owl:Class,owl:Thing,,\n"
        + f",{PREFIX}PaNET00002,defined by probe,,,,,owl:Class,,,('definedbyprobe' some 'probe')\n"
        + f",{PREFIX}PaNET00100,x-ray technique,Röntgen technique,,With x-rays,,owl:Class,,,"
        + "('definedbyprobe' some 'x-ray')\n"
        + f",{PREFIX}PaNET00101,tomography,,,,,owl:Class,PaNET:PaNET00001,,\n"
        + f",{PREFIX}PaNET00102,x-ray tomography,CT,,,,owl:Class,tomography,,('x-ray technique' and PaNET:PaNET00101)\n"
        + f",{PREFIX}PaNET00103,x-ray tomography in time,,,,,owl:Class,tomography,,('definedbyprobe' some 'x-ray')\n"
        + f",{PREFIX}PaNET2000000,probe,,,,,owl:Class,,,\n"
        + f",{PREFIX}PaNET2000001,photon,,,,,owl:Class,probe,,\n"
        + f",{PREFIX}PaNET2000002,x-ray,,,,,owl:Class,PaNET:PaNET2000001,,\n"
        + f",{PREFIX}PaNET1000000,definedbyprobe,,,,,owl:ObjectProperty,,,\n",
        encoding="utf-8",
    )
    terms = list(read_panet_csv(path))
    label_of = {term.iri: term.label for term in terms}
    assert find_problems(terms) == []
    assert {term.label: {label_of[iri] for iri in term.parent_iris} for term in terms} == {
        "photon and neutron technique": set(),
        "defined by probe": {"photon and neutron technique"},
        "x-ray technique": {"defined by probe"},
        "tomography": {"photon and neutron technique"},
        "x-ray tomography": {"tomography", "x-ray technique"},
        "x-ray tomography in time": {"tomography", "x-ray technique"},
    }
    assert terms[2].alternative_labels == ("Röntgen technique",)
    assert terms[2].definition == "With x-rays"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "ID,Label\n" * 5])
def test_a_file_that_is_not_panets_template_is_refused_by_name(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other\.csv is not PaNET's template"):
        list(read_panet_csv(path))


def test_a_table_without_our_columns_is_refused_with_the_missing_ones(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("# note\niri,label\nx,y\n")
    with pytest.raises(ValueError, match="alternative_labels, definition, parent_iris"):
        list(read_own_table(path))


def test_esrfet_terms_are_labelled_in_words():
    terms = list(read_esrfet())
    assert len(terms) > 100
    assert find_problems(terms) == []
    saxs = next(term for term in terms if term.iri.endswith("#SAXS"))
    assert saxs.label == "Small-Angle X-ray Scattering"
    assert "SAXS" in saxs.alternative_labels
    assert saxs.source == "ESRFET"


def test_unknown_parents_doubles_and_missing_labels_are_reported_by_name():
    nameless = TechniqueTerm("d", "", (), "", (), "Faircat")
    assert find_problems([term("a"), term("a"), term("b", "elsewhere"), nameless]) == [
        "a is stated twice.",
        "d has no label.",
        "“label of b” has an unknown parent elsewhere.",
    ]
    assert find_problems([term("b", "elsewhere")], known_iris=["elsewhere"]) == []


def test_each_cycle_is_reported_once_by_its_labels():
    terms = [term("a"), term("b", "c", "a"), term("c", "d"), term("d", "b"), term("e", "b"), term("x", "x")]
    assert find_problems(terms) == [
        "These techniques are each other's parents: label of b → label of c → label of d → label of b.",
        "These techniques are each other's parents: label of x → label of x.",
    ]


def test_licences_have_names_and_the_addresses_that_harvesters_know():
    by_id = {licence.spdx_id: licence for licence in licences.spdx_licences()}
    default = by_id[licences.DEFAULT_LICENCE]
    assert default.name == "Creative Commons Attribution 4.0 International"
    assert default.url == "https://creativecommons.org/licenses/by/4.0/"
    assert by_id["CC0-1.0"].url == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert by_id["CC-BY-NC-SA-3.0-DE"].url == "https://creativecommons.org/licenses/by-nc-sa/3.0/de/"
    assert by_id["MIT"].url == "https://spdx.org/licenses/MIT.html"
    assert by_id["MIT"].is_osi_approved
    assert set(licences.USUAL_FOR_DATA) <= set(by_id)
    assert all(licence.name and licence.url for licence in by_id.values())


def test_deprecated_licence_ids_are_not_offered():
    assert "GPL-3.0" not in {licence.spdx_id for licence in licences.spdx_licences()}


def enumeration(version: str, name: str) -> set[str]:
    path = KERNELS / f"kernel-{version}/include/datacite-{name}Type-v4.xsd"
    return {node.get("value") for node in ElementTree.parse(path).iter() if node.tag.endswith("}enumeration")}


@needs_schemas
@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("relation", datacite_types.RELATION_TYPES),
        ("contributor", datacite_types.CONTRIBUTOR_TYPES),
        ("resource", datacite_types.RESOURCE_TYPES),
        ("relatedIdentifier", datacite_types.RELATED_IDENTIFIER_TYPES),
        ("date", datacite_types.DATE_TYPES),
        ("description", datacite_types.DESCRIPTION_TYPES),
        ("title", datacite_types.TITLE_TYPES),
        ("name", datacite_types.NAME_TYPES),
        ("funderIdentifier", datacite_types.FUNDER_IDENTIFIER_TYPES),
    ],
)
def test_datacites_lists_agree_with_its_schemas(name, ours):
    assert len(set(ours)) == len(ours)
    assert set(ours) == enumeration("4.7", name)
    assert set(ours) - set(datacite_types.NEW_IN_4_7.get(name, ())) == enumeration("4.6", name)
    assert enumeration("4.5", name) <= set(ours)


def test_every_relation_but_two_has_an_inverse_that_leads_back():
    inverse = datacite_types.INVERSE_RELATIONS
    assert set(datacite_types.RELATION_TYPES) - set(inverse) == {"IsPublishedIn", "Other"}
    assert all(inverse[inverse[relation]] == relation for relation in inverse)


@pytest.mark.parametrize("standard", STANDARD_NAMES.values(), ids=lambda standard: standard.name)
def test_a_standard_name_is_complete_and_its_units_agree(standard):
    assert re.fullmatch(r"[a-z][a-z_]*[a-z]", standard.name)
    assert standard.label
    assert standard.description
    assert standard.group in GROUPS
    if standard.unit is None:
        assert standard.display_unit is None
    else:
        assert to_si(1, standard.unit).unit == standard.unit
        assert to_si(1, standard.unit).value == 1
        assert convert(1, standard.unit, standard.display_unit) is not None


def test_names_and_technique_keys_of_the_readers_are_known_here():
    assert set(names.STANDARD_NAMES) <= set(STANDARD_NAMES)
    assert set(names.TECHNIQUES) <= set(TECHNIQUE_KEYS)


def test_names_of_vendors_stand_for_themselves():
    assert label_for("accelerating_voltage") == "Accelerating voltage"
    assert label_for("zeiss.AP_SPOTSIZE") == "zeiss.AP_SPOTSIZE"


def test_personal_data_are_marked_as_private():
    assert STANDARD_NAMES["operator"].is_private
    assert STANDARD_NAMES["serial_number"].is_private
    assert not STANDARD_NAMES["detector"].is_private
