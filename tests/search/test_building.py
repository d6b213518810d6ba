"""Documents hold what their readers may see, field by field, and summaries what everybody may."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.models import (
    Annotation,
    Collection,
    CollectionMember,
    Concept,
    Datafile,
    Dataset,
    Parameter,
    Proposal,
    Sample,
    Technique,
    TechniqueAncestor,
)
from search.analysis import identifier_tokens
from search.backends.base import Document
from search.fields import BY_NAME, PARAMETERS, Kind
from search.indexing.building import build_documents, microseconds, order
from tests import factories
from tests.search.archive import make_datasets

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

MEASURED_AT = datetime(2024, 1, 1, 3, 30, tzinfo=UTC)


def documents(dataset: Dataset, **asked) -> list[Document]:
    return build_documents({dataset.pk: 7}, **asked).documents.get(dataset.pk, [])


def full(dataset: Dataset) -> Document:
    return documents(dataset)[0]


def summary(dataset: Dataset) -> Document:
    return documents(dataset)[1]


@pytest.fixture
def rich(tmp_path) -> Dataset:
    """A closed dataset of which everything is known."""
    investigation = factories.make_investigation(
        title="Wires under load", visit_id="20210906-46", investigation_type="user", pi=factories.make_user()
    )
    investigation.proposal = Proposal.objects.create(facility=investigation.facility, number="MX-2345")
    investigation.save()
    sample = Sample.objects.create(investigation=investigation, name="Wafer 7", formula="TiO2", description="Etched")
    dataset = factories.make_dataset(
        investigation,
        title="Gold Nanowires",
        description="An overview",
        sample=sample,
        acquired_at=MEASURED_AT,
        format_label="TIFF",
        download_count=3,
        storage=factories.make_storage(tmp_path),
        files={"scans/IMG_0001.tif": b"pixels"},
    )
    narrow = Technique.objects.create(iri="https://example.org/sem", label="SEM", source="own")
    broad = Technique.objects.create(iri="https://example.org/microscopy", label="microscopy", source="own")
    pairs = ((narrow, narrow), (broad, broad), (narrow, broad))
    TechniqueAncestor.objects.bulk_create(TechniqueAncestor(technique=one, ancestor=other) for one, other in pairs)
    dataset.techniques.add(narrow)
    file = dataset.files.get()
    said = {"dataset": dataset, "datafile": file, "kind": "category"}
    Annotation.objects.create(**said, label="Nanowires", confidence=0.29, source="ai", model_release="v1")
    Annotation.objects.create(**said, label="Tips", source="person", verified_at=timezone.now())
    state(dataset, "accelerating_voltage", 5_000.0, "V")
    state(dataset, "pixel_size_x", 2e-9, "m")
    state(dataset, "detector", text="Everhart")
    return dataset


def state(dataset: Dataset, name: str, value: float | None = None, unit: str = "", **fields) -> None:
    values = (
        {"kind": "text"} if value is None else {"kind": "number", "value": value, "value_si": value, "unit_si": unit}
    )
    Parameter.objects.create(dataset=dataset, name=name, **({"source": "instrument"} | values | fields))


def test_every_field_is_of_its_kind_and_filled_somewhere(rich):
    kinds = {Kind.TEXT: str, Kind.TOKENS: str, Kind.KEYWORD: list, Kind.NUMBER: int, Kind.ORDER: str}
    for document in documents(rich):
        for name, value in document.items():
            expected = dict if name == PARAMETERS else str if name == "key" else kinds[BY_NAME[name].kind]
            assert isinstance(value, expected), name
    assert set(BY_NAME) | {PARAMETERS} == set(full(rich))


def test_a_full_document_says_all(rich):
    document = full(rich)
    assert document["key"] == str(rich.pk) and document["document"] == ["full"] and document["version"] == 7
    assert document["title"] == "gold nanowire"
    assert document["abstract"].startswith("an overview wire under load wafer 7 tio2")
    assert {"sem", "everhart", "detector", "nanowire", "tip"} <= set(document["rest"].split())
    assert document["technique"] == ["https://example.org/microscopy", "https://example.org/sem"]
    assert (document["sample"], document["element"]) == (["Wafer 7"], ["Ti", "O"])
    assert document["parameters"] == {"accelerating_voltage|V": 5_000.0, "pixel_size_x|m": 2e-9}
    assert document["parameter"] == ["accelerating_voltage|V", "pixel_size_x|m"]
    assert document["scale"] == ["1..10nm"]
    assert document["category"] == ["Nanowires", "Tips"]
    assert document["confidence"] == ["Nanowires@029", "Tips@100"]
    assert document["verified"] == ["Tips"]
    assert (document["type"], document["format"], document["doi"]) == (["user"], ["TIFF"], ["no"])
    assert (document["year"], document["month"]) == (2024, 202401)
    assert document["measured_at"] == microseconds(MEASURED_AT)
    tokens = set(document["identifiers"].split())
    for text in ("20210906-46", "MX-2345", "scans/IMG_0001.tif"):
        assert set(identifier_tokens(text)) <= tokens


def test_a_summary_says_what_the_policy_shows_and_nothing_else(rich):
    document = summary(rich)
    assert document["key"] == f"{rich.pk}s" and document["document"] == ["summary"]
    hidden = {"sample", "element", "scale", "parameters", "parameter", "category", "confidence", "verified", "format"}
    assert hidden.isdisjoint(document)
    assert document["title"] == "gold nanowire"
    for word in ("wafer", "etched", "everhart", "nanowires", "img"):
        assert all(word not in str(value).split() for value in document.values())
    assert document["opens_at"] == microseconds(rich.investigation.embargo_until)


def test_where_all_metadata_are_shown_only_what_tells_of_the_files_is_not(rich):
    factories.set_embargo_metadata("full")
    document = summary(rich)
    assert document["parameters"] == {"accelerating_voltage|V": 5_000.0, "pixel_size_x|m": 2e-9}
    assert document["scale"] == ["1..10nm"]
    assert document["sample"] == ["Wafer 7"]
    assert "category" not in document
    assert "img-0001" not in document["identifiers"]


def test_where_nothing_is_shown_there_is_no_summary(rich):
    factories.set_embargo_metadata("none")
    assert [document["document"] for document in documents(rich)] == [["full"]]


def test_open_data_have_one_document_and_so_has_what_has_opened(rich):
    later = rich.investigation.embargo_until + timedelta(seconds=1)
    assert len(documents(rich, now=later)) == 1
    assert len(documents(make_datasets(1)[0])) == 1


def test_withdrawn_data_have_none():
    withdrawn = make_datasets(1, state="withdrawn")[0]
    whole = make_datasets(1)[0]
    type(whole.investigation).objects.filter(pk=whole.investigation_id).update(
        state="withdrawn", withdrawal_reason="A mistake."
    )
    assert build_documents({withdrawn.pk: 1, whole.pk: 1, 10**9: 1}).documents == {}


def test_a_persons_correction_stands_alone_and_personal_values_nowhere(rich):
    state(rich, "accelerating_voltage", 9_000.0, "V", source="person")
    state(rich, "dose", 1.0, "Gy", is_personal=True)
    state(rich, "operator", text="Zaphod", is_personal=True)
    state(rich, "defocus", 2.0, "m", source="ai")
    state(rich, "defocus", 1.0, "m")
    state(rich, "gain", 4.0, "", group="zeiss")
    document = full(rich)
    assert document["parameters"] == {
        "accelerating_voltage|V": 9_000.0, "defocus|m": 1.0, "pixel_size_x|m": 2e-9, "zeiss/gain|": 4.0,
    }  # fmt: skip
    assert "zaphod" not in document["rest"]


def test_the_bin_of_scale_is_that_of_the_pixel_size_that_counts(rich):
    (plain,) = make_datasets(1)
    assert "scale" not in full(plain)
    state(plain, "pixel_size_x", 3e-8, "m", source="ai")
    assert full(plain)["scale"] == ["10..100nm"], "what was read from the banner"
    state(plain, "pixel_size_x", 3e-9, "m")
    assert full(plain)["scale"] == ["1..10nm"], "the instrument knows better"
    state(plain, "pixel_size_x", 3e-7, "m", source="person")
    assert full(plain)["scale"] == ["100nm..1um"], "and a person best"


def test_a_published_collection_gives_its_members_a_doi(rich):
    alone, other = rich, factories.make_dataset(rich.investigation)
    collections = [
        Collection.objects.create(
            concept=Concept.objects.create(),
            created_by=rich.registered_by,
            state="published",
            published_at=timezone.now(),
            doi=f"10.5072/{number}",
            member_count=1,
        )
        for number in range(3)
    ]
    part = Collection.objects.create(concept=Concept.objects.create(), created_by=rich.registered_by)
    CollectionMember.objects.create(collection=collections[0], dataset=alone)
    assert (full(alone)["doi"], full(other)["doi"]) == (["yes"], ["no"])
    assert set(identifier_tokens("10.5072/0")) <= set(full(alone)["identifiers"].split())
    CollectionMember.objects.create(collection=part, dataset=other)
    assert full(other)["doi"] == ["no"], "nobody published it"
    CollectionMember.objects.create(collection=collections[1], part=part)
    assert full(other)["doi"] == ["yes"], "it came with a part"


def test_a_dataset_of_many_files_has_the_names_of_the_first(rich):
    storage = rich.files.get().storage
    Datafile.objects.bulk_create(
        Datafile(dataset=rich, storage=storage, path=f"many/{n}", name=f"frame_{n:04}.tif") for n in range(250)
    )
    tokens = set(full(rich)["identifiers"].split())
    assert "frame-0199-tif" in tokens
    assert "frame-0200-tif" not in tokens


def test_a_batch_costs_the_same_queries_however_large_it_is(rich):
    def queries(datasets: list[Dataset]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(build_documents({one.pk: 1 for one in datasets}).documents) == len(datasets)
        return len(captured)

    assert queries([rich, *make_datasets(3), *make_datasets(30, is_open=False)]) == queries([rich, *make_datasets(1)])


def test_what_lies_between_the_datasets_of_a_batch_is_not_in_it(rich):
    between, last = make_datasets(2, investigation=rich.investigation)
    storage, term = rich.files.get().storage, rich.techniques.get()
    for dataset in (between, last):
        file = Datafile.objects.create(dataset=dataset, storage=storage, path=f"{dataset.pk}", name="one.tif")
        Annotation.objects.create(dataset=dataset, datafile=file, kind="category", label=f"Label {dataset.pk}")
        dataset.techniques.add(term)
        state(dataset, "accelerating_voltage", float(dataset.pk), "V")
    built = build_documents({rich.pk: 1, last.pk: 2})
    assert built.documents.keys() == {rich.pk, last.pk} and not built.failures
    document = built.documents[last.pk][0]
    assert (document["category"], document["parameters"]) == (
        [f"Label {last.pk}"],
        {"accelerating_voltage|V": float(last.pk)},
    )
    assert built.documents[rich.pk] == build_documents({rich.pk: 1}).documents[rich.pk]


def test_orders_are_unique_signed_64_bit_numbers_that_sort_as_they_should():
    ranks = [-(10**15), -5, 0, 3, 10**15]
    numbers = [order(rank, key) for rank in ranks for key in (1, 2, 2**31 - 1)]
    assert numbers == sorted(set(numbers))
    assert all(-(2**63) <= number < 2**63 for number in numbers)


def test_titles_sort_as_people_sort_them_and_undated_data_come_first():
    names = ["Scan 10", "Aluminium", "albumin", "Scan 9", "Zinc", "Scan 9 again", "Ярославль"]
    datasets = [make_datasets(1, title=name)[0] for name in names]
    by_title = sorted(datasets, key=lambda one: full(one)["by_title"])
    assert [one.title for one in by_title] == [
        "albumin", "Aluminium", "Scan 9", "Scan 9 again", "Scan 10", "Zinc", "Ярославль"
    ]  # fmt: skip
    undated, old = (
        make_datasets(1, acquired_at=None)[0],
        make_datasets(1, acquired_at=datetime(1950, 1, 1, tzinfo=UTC))[0],
    )
    assert full(undated)["by_measured"] < full(old)["by_measured"]
    assert "measured_at" not in full(undated)
    assert full(undated)["year"] == undated.created_at.year
