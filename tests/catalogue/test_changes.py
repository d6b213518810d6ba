"""Every change that search shows raises the revision of each dataset concerned, in the transaction of the change itself."""

import pytest
from django.db import transaction

from catalogue import changes, outbox
from catalogue.access import principal_of
from catalogue.entries import DatasetEntry
from catalogue.models import (
    Dataset,
    DatasetRevision,
    Investigation,
    Organisation,
    OutboxEntry,
    Proposal,
    Technique,
    TechniqueAncestor,
)
from catalogue.services.dataset_changes import update_dataset
from catalogue.services.registration import register_datasets
from catalogue.services.releases import release_investigation
from catalogue.services.withdrawals import withdraw_dataset
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def numbers(*datasets: Dataset) -> list[int]:
    known = dict(DatasetRevision.objects.values_list("dataset", "number"))
    return [known.get(dataset.pk, 0) for dataset in datasets]


def make_known(count: int, **fields) -> list[Dataset]:
    """Datasets that the index has already."""
    investigation = fields.pop("investigation", None) or factories.make_investigation()
    datasets = [factories.make_dataset(investigation, **fields) for _ in range(count)]
    DatasetRevision.objects.update(is_pending=False)
    return datasets


def test_registered_datasets_have_a_revision_that_waits_for_the_index():
    investigation = factories.make_investigation()
    curator = principal_of(factories.make_curator())
    entries = [DatasetEntry(investigation=str(investigation.uid), title=f"Scan {n}") for n in range(3)]
    register_datasets(actor=curator, entries=entries)
    assert list(DatasetRevision.objects.values_list("number", "is_pending")) == [(1, True)] * 3


def test_an_edit_raises_the_revision_of_its_dataset_alone():
    edited, other = make_known(2)
    curator = principal_of(factories.make_curator())
    update_dataset(actor=curator, uid=edited.uid, changes={"title": "Better"}, expected_version=None)
    assert numbers(edited, other) == [2, 1]
    assert list(DatasetRevision.objects.filter(is_pending=True).values_list("dataset", flat=True)) == [edited.pk]


def test_a_revision_that_was_missing_is_made():
    dataset = factories.make_dataset()
    DatasetRevision.objects.all().delete()
    withdraw_dataset(actor=principal_of(factories.make_curator()), dataset=dataset, reason="A mistake.")
    assert numbers(dataset) == [1]


def test_a_change_that_is_taken_back_raises_nothing():
    (dataset,) = make_known(1)
    with pytest.raises(RuntimeError), transaction.atomic():
        changes.datasets_changed([dataset])
        raise RuntimeError
    assert numbers(dataset) == [1]


def test_a_release_raises_all_datasets_of_the_investigation_and_no_others():
    inside, outside = make_known(3), make_known(1)
    curator = principal_of(factories.make_curator())
    release_investigation(actor=curator, investigation=inside[0].investigation)
    assert numbers(*inside, *outside) == [2, 2, 2, 1]


@pytest.mark.parametrize("subject", ["instrument", "facility", "sample", "person", "organisation", "proposal"])
def test_a_new_name_reaches_every_dataset_that_shows_it(subject):
    investigation = factories.make_investigation()
    sample = factories.make_sample(investigation)
    member = factories.add_member(investigation, factories.make_user())
    proposal = Proposal.objects.create(facility=investigation.facility, number="MX-1")
    Investigation.objects.filter(pk=investigation.pk).update(proposal=proposal)
    member.person.affiliation = Organisation.objects.create(name="An institute")
    member.person.save()
    rows = {
        "instrument": investigation.instrument,
        "facility": investigation.facility,
        "sample": sample,
        "person": member.person,
        "organisation": member.person.affiliation,
        "proposal": proposal,
    }
    shown, other = make_known(2, investigation=investigation, sample=sample), make_known(1)
    changes.row_changed(rows[subject])
    assert numbers(*shown, *other) == [2, 2, 1]


def test_a_broader_technique_reaches_the_datasets_of_its_narrower_ones():
    broad, narrow = (Technique.objects.create(iri=f"https://example.org/{n}", label=n, source="own") for n in "ab")
    pairs = ((broad, broad), (narrow, narrow), (narrow, broad))
    TechniqueAncestor.objects.bulk_create(TechniqueAncestor(technique=one, ancestor=other) for one, other in pairs)
    shown, other = make_known(2)
    shown.techniques.add(narrow)
    changes.row_changed(broad)
    assert numbers(shown, other) == [2, 1]


def test_what_concerns_many_datasets_is_done_by_the_outbox_in_portions(monkeypatch):
    monkeypatch.setattr(changes, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(changes, "PORTION", 2)
    datasets = make_known(5)
    changes.row_changed(datasets[0].instrument)
    assert numbers(*datasets) == [1] * 5
    assert OutboxEntry.objects.get(topic="reindex").key == f"instrument:{datasets[0].instrument_id}"
    outbox.deliver_due(topics=["reindex"])
    assert numbers(*datasets) == [2] * 5


def test_an_investigation_raises_all_its_datasets_at_once(monkeypatch):
    monkeypatch.setattr(changes, "MOST_AT_ONCE", 3)
    datasets = make_known(5)
    changes.investigation_changed(datasets[0].investigation)
    assert numbers(*datasets) == [2] * 5
    assert not OutboxEntry.objects.filter(topic="reindex").exists()


def test_what_no_record_names_changes_nothing():
    (dataset,) = make_known(1)
    changes.row_changed(factories.make_user())
    assert numbers(dataset) == [1]
