"""The steps of a registration by hand: what was chosen, corrected or typed is kept until it is registered."""

from pathlib import Path

import pytest
from django.test import Client

from catalogue.access import principal_of
from catalogue.models import Dataset, Investigation, Person, RegistrationDraft, TeamMember
from catalogue.services.drafts import start_draft
from tests import factories


@pytest.fixture
def draft(db, tmp_path: Path, client: Client) -> RegistrationDraft:
    """A described draft of a signed-in principal investigator, with a storage of two folders."""
    pi = factories.make_user("regina")
    investigation = factories.make_investigation(pi=pi, visit_id="visit-1")
    for name in ("visit-1/morning/a.txt", "visit-1/evening/b.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("some text")
    factories.make_storage(tmp_path, instrument=investigation.instrument, member_folder="{visit_id}")
    client.force_login(pi, backend="django.contrib.auth.backends.ModelBackend")
    draft = start_draft(actor=principal_of(pi), has_files=True)
    description = {"investigation": str(investigation.uid), "title": "A day", "kind": "raw"}
    client.post(f"/register/{draft.uid}", description | {"action": "continue"})
    return draft


def choose(client: Client, draft: RegistrationDraft, folder: str, *, ticked: list[str], action: str = "more") -> None:
    """Tick files of a folder as its page shows it, and send the form."""
    address = f"/register/{draft.uid}/files?folder={folder}"
    entries = client.get(address).context["entries"]
    shown = [entry["path"] for entry in entries]
    storage = str(client.get(address).context["chosen_storage"].uid)
    response = client.post(address, {"storage": storage, "shown": shown, "path": ticked, "action": action})
    assert response.status_code == 302


def chosen(draft: RegistrationDraft) -> list[str]:
    draft.refresh_from_db()
    return [file["path"] for file in draft.content["files"]]


def test_files_of_two_folders_are_chosen_and_registered_together(client, draft):
    choose(client, draft, "visit-1/morning", ticked=["visit-1/morning/a.txt"])
    choose(client, draft, "visit-1/evening", ticked=["visit-1/evening/b.txt"], action="continue")
    assert chosen(draft) == ["visit-1/morning/a.txt", "visit-1/evening/b.txt"]
    client.post(f"/register/{draft.uid}/check", {"action": "register"})
    files = Dataset.objects.get().files.order_by("path")
    assert [file.path for file in files] == ["visit-1/evening/b.txt", "visit-1/morning/a.txt"]
    assert all(file.size == len("some text") and file.modified_at for file in files)


def test_a_file_that_is_no_longer_ticked_is_no_longer_chosen(client, draft):
    choose(client, draft, "visit-1/morning", ticked=["visit-1/morning/a.txt"])
    choose(client, draft, "visit-1/morning", ticked=[])
    assert chosen(draft) == []


def test_a_file_that_is_registered_already_cannot_be_chosen_again(client, draft):
    choose(client, draft, "visit-1/morning", ticked=["visit-1/morning/a.txt"])
    client.post(f"/register/{draft.uid}/check", {"action": "register"})
    client.post("/register", {"start": "files"})
    second = RegistrationDraft.objects.get()
    investigation = Dataset.objects.get().investigation
    client.post(f"/register/{second.uid}", {"investigation": str(investigation.uid), "title": "Again", "kind": "raw"})
    page = client.get(f"/register/{second.uid}/files?folder=visit-1/morning")
    assert [entry["is_registered"] for entry in page.context["entries"]] == [True]
    assert "already registered" in page.content.decode()


def test_a_description_with_mistakes_is_shown_again_with_what_was_typed(client, draft):
    page = client.post(f"/register/{draft.uid}", {"title": "", "description": "Typed at night", "kind": "raw"})
    assert page.status_code == 422
    assert "Typed at night" in page.content.decode()
    assert client.get(f"/register/{draft.uid}").context["form"].initial["description"] == "Typed at night"


def test_a_description_of_no_investigation_that_exists_is_a_mistake_as_any_other(client, draft):
    page = client.post(f"/register/{draft.uid}", {"title": "Grains", "investigation": "nonsense", "kind": "raw"})
    assert page.status_code == 422


def test_a_draft_belongs_to_its_owner_only(client, draft):
    client.force_login(factories.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    for step in ("", "/files", "/check"):
        assert client.get(f"/register/{draft.uid}{step}").status_code == 404


def test_data_without_files_get_the_values_that_their_registrant_types(catalogue, client):
    client.force_login(catalogue.pi, backend="django.contrib.auth.backends.ModelBackend")
    draft = start_draft(actor=principal_of(catalogue.pi), has_files=False)
    investigation = catalogue.closed.investigation
    client.post(
        f"/register/{draft.uid}", {"investigation": str(investigation.uid), "title": "From the logbook", "kind": "raw"}
    )
    page = client.get(f"/register/{draft.uid}/check").content.decode()
    assert "Value with its unit" in page and "Accelerating voltage" in page and investigation.instrument.name in page
    client.post(f"/register/{draft.uid}/check", {"action": "register", "c:\x1faccelerating_voltage": "5 kV"})
    value = Dataset.objects.get(title="From the logbook").parameters.get()
    assert (value.name, value.source, value.value_si, value.unit_si) == ("accelerating_voltage", "person", 5000, "V")


def describe(client: Client, draft: RegistrationDraft, action: str, **values: str):
    draft.refresh_from_db()
    described = draft.content.get("description", {}) | values
    return client.post(f"/register/{draft.uid}", described | {"action": action})


def choices_of(client: Client, draft: RegistrationDraft) -> list[str]:
    form = client.get(f"/register/{draft.uid}").context["form"]
    return [label for value, label in form.fields["investigation"].choices if value]


def test_an_instrument_narrows_the_investigations_and_is_suggested(client, draft):
    pi = draft.owner
    elsewhere = factories.make_investigation(pi=pi, visit_id="visit-2", title="At the other one")
    assert len(choices_of(client, draft)) == 2
    assert elsewhere.instrument.name in client.get(f"/register/{draft.uid}").content.decode()
    describe(client, draft, "refresh", instrument=elsewhere.instrument.name, investigation="")
    assert choices_of(client, draft) == ["visit-2: At the other one"]


@pytest.mark.parametrize("action", ["continue", "save"])
def test_an_instrument_that_the_investigation_did_not_use_is_a_mistake(client, draft, action):
    page = describe(client, draft, action, instrument="Some other microscope")
    assert page.status_code == 422 and "This investigation measured at" in page.content.decode()
    page = client.post(f"/register/{draft.uid}/check", {"action": "register"})
    assert page.status_code == 422 and not Dataset.objects.exists()


def test_a_leader_adds_people_by_name_and_by_orcid_and_those_present_stay_who_they_are(client, draft):
    investigation = Investigation.objects.get()
    colleague = factories.make_person(given_name="Marie", family_name="Curie", orcid="0000-0002-1825-0097")
    TeamMember.objects.create(investigation=factories.make_investigation(), person=colleague, role="member")
    present = set(investigation.team.values_list("person", flat=True))
    assert describe(client, draft, "add-person", person="0000-0002-1825-0097").status_code == 302
    assert describe(client, draft, "add-person", person="Irene Joliot", person_role="local_contact").status_code == 302
    team = {str(member.person): member.role for member in investigation.team.select_related("person")}
    assert team["Marie Curie"] == "member" and team["Irene Joliot"] == "local_contact"
    assert {*present, colleague.pk} < set(investigation.team.values_list("person", flat=True))
    assert investigation.team.filter(person__user=draft.owner, role="pi").exists()


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        ("0000-0002-1825-0098", "does not fit"),
        ("0000-0001-5109-3700", "write the name before it"),
        ("", "A person needs a family name"),
    ],
)
def test_a_person_who_cannot_be_told_is_asked_for_again(client, draft, person, reason):
    page = describe(client, draft, "add-person", person=person)
    assert page.status_code == 422 and reason in page.content.decode()


def test_people_are_suggested_from_teams_at_the_same_instrument_that_one_may_know_of(client, draft):
    investigation = Investigation.objects.get()
    known = factories.make_investigation(instrument=investigation.instrument, facility=investigation.facility)
    person = factories.make_person(given_name="Marie", family_name="Curie", orcid="0000-0002-1825-0097")
    TeamMember.objects.create(investigation=known, person=person, role="member")
    assert "Marie Curie 0000-0002-1825-0097" in client.get(f"/register/{draft.uid}").content.decode()
    factories.set_embargo_metadata("none")
    assert "Curie" not in client.get(f"/register/{draft.uid}").content.decode()


def test_a_plain_member_sees_the_team_and_who_may_change_it(client, draft):
    member = factories.make_user("mia")
    person = factories.make_person(member)
    TeamMember.objects.create(investigation=Investigation.objects.get(), person=person, role="member")
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    own = start_draft(actor=principal_of(member), has_files=False)
    investigation = str(Investigation.objects.get().uid)
    page = client.post(f"/register/{own.uid}", {"investigation": investigation, "action": "refresh"}, follow=True)
    text = page.content.decode()
    assert str(person) in text and "principal investigator and its local contact may add people" in text
    assert "Add to the team" not in text
    refused = describe(client, own, "add-person", person="Irene Joliot")
    assert refused.status_code == 422 and not Person.objects.filter(family_name="Joliot").exists()
