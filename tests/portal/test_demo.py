"""The demonstration is registered by its instruments' own accounts, has open and closed data, and is made once."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from catalogue import access
from catalogue.access import principal_of
from catalogue.demo.plan import DATASETS, INVESTIGATIONS
from catalogue.models import Datafile, Dataset, Investigation, Person, Storage, User
from catalogue.services.storages import list_folder, usable_storages
from portal.accounts.demo_accounts import ensure_demo_accounts
from portal.demo import make_demo

pytestmark = pytest.mark.django_db


def make(folder: Path) -> int:
    return make_demo(actor=ensure_demo_accounts(), folder=folder, today=timezone.localdate(), say=lambda text: None)


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Made once for all tests here, as it takes seconds; each test undoes its own changes, the module the rest."""
    folder = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_vocabulary", verbosity=0)
        assert make(folder) == len(DATASETS)
        yield folder
        transaction.set_rollback(True)


def test_every_planned_dataset_is_registered_by_the_account_of_its_instrument(made: Path):
    accounts = {
        (dataset.instrument.short_name, dataset.registered_by.username)
        for dataset in Dataset.objects.select_related("instrument", "registered_by")
    }
    assert Dataset.objects.count() == len(DATASETS)
    assert accounts == {(name, f"instrument-{name}") for name, _ in accounts}


def test_old_and_released_investigations_are_open_and_the_others_under_embargo(made: Path):
    now = timezone.now()
    for plan in INVESTIGATIONS:
        visit = Investigation.objects.get(visit_id=plan.visit_id)
        age = (now.date() - plan.started_at(date.today()).date()).days
        assert access.is_open(visit, now=now) == (plan.is_released_early or age > 3 * 366), plan.visit_id
    assert 0 < Dataset.objects.filter(access.open_q(now)).count() < len(DATASETS)


def test_processed_data_know_what_they_were_made_from(made: Path):
    reduced = Dataset.objects.get(registration_key="PS-PEO-12_25C_reduced")
    assert [source.registration_key for source in reduced.derived_from.all()] == ["PS-PEO-12_25C"]
    assert reduced.kind == "processed"


def test_the_account_of_the_pi_is_the_person_in_the_teams(made: Path):
    person = Person.objects.get(orcid="0000-0002-1825-0097")
    assert person.user is not None and person.user.username == "pi"
    assert person.memberships.count() >= 2
    assert person.orcid_verified_at is None, "an ORCID iD is verified by a login only"


def test_making_it_again_makes_nothing(made: Path):
    assert make(made) == 0
    assert Dataset.objects.count() == len(DATASETS)


def test_what_was_begun_is_finished(made: Path):
    """As if the first run had been stopped half way."""
    Dataset.objects.filter(registration_key__startswith="Bone").delete()
    make(made)
    assert Dataset.objects.count() == len(DATASETS)
    assert Storage.objects.count() == len({plan.instrument for plan in INVESTIGATIONS})


def test_the_command_refuses_a_site_that_is_no_demonstration():
    with pytest.raises(CommandError, match="FAIRCAT_IS_DEMO"):
        call_command("make_demo")


def test_the_pi_finds_a_file_to_register_by_hand_in_the_folder_of_a_visit(made: Path):
    pi = principal_of(User.objects.get(username="pi"))
    folders = {
        entry.path: row
        for row in usable_storages(pi)
        for entry in list_folder(principal=pi, row=row).entries
        if entry.is_folder
    }
    visit = "NL-ZNO-1"
    paths = {entry.path for entry in list_folder(principal=pi, row=folders[visit], prefix=visit).entries}
    registered = set(Datafile.objects.filter(storage=folders[visit]).values_list("path", flat=True))
    assert paths - registered == {f"{visit}/not-registered-yet.tif"}
