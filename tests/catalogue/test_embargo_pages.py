"""The pages of releases, longer embargoes and withdrawals: what they say, and that nothing happens without a second yes."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from catalogue import access
from catalogue.access import ANONYMOUS, principal_of
from catalogue.models import Dataset, ExtensionRequest, Investigation, User
from catalogue.services.extensions import request_extension
from tests import factories

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def lab() -> SimpleNamespace:
    pi, member = factories.make_user("pi"), factories.make_user("member")
    curator = factories.make_curator("curator")
    investigation = factories.make_investigation(pi=pi, embargo_until=timezone.now() + 20 * DAY)
    factories.add_member(investigation, member)
    datasets = [factories.make_dataset(investigation, title=f"Slice {n}", file_count=3, size=2048) for n in range(3)]
    Investigation.objects.update(dataset_count=3, file_count=9, size=6144)
    return SimpleNamespace(
        investigation=investigation,
        datasets=datasets,
        path=f"/investigations/{investigation.uid}",
        pi=client_of(pi),
        member=client_of(member),
        curator=client_of(curator),
        leader=principal_of(pi),
    )


def public_titles() -> set[str]:
    return set(access.full_datasets(ANONYMOUS, now=timezone.now()).values_list("title", flat=True))


def test_the_page_says_what_becomes_public_and_releases_only_after_a_second_yes(lab: SimpleNamespace) -> None:
    text = lab.pi.get(f"{lab.path}/release").content.decode()
    for part in ("3 datasets with 9 files, 6.00 KiB", "Slice 0", "cannot be undone", "UTC"):
        assert part in text, part
    refused = lab.pi.post(f"{lab.path}/release", {"action": "release"})
    assert refused.status_code == 422 and b"Nothing was released" in refused.content
    assert public_titles() == set()
    answer = lab.pi.post(f"{lab.path}/release", {"action": "release", "is_understood": "on"}, follow=True)
    assert b"open to everyone now" in answer.content
    assert public_titles() == {"Slice 0", "Slice 1", "Slice 2"}
    assert b"These data are open already" in lab.pi.get(f"{lab.path}/release").content


def test_chosen_datasets_are_released_with_what_was_left_ticked(lab: SimpleNamespace) -> None:
    raw = lab.datasets[0]
    for title in ("Map", "Draft of a map"):
        factories.make_dataset(lab.investigation, title=title, kind="processed").derived_from.add(raw)
    listed = lab.pi.get(f"{lab.path}/release/choose").content.decode()
    assert listed.count('type="checkbox"') == 5
    review = lab.pi.post(f"{lab.path}/release", {"action": "review", "dataset": str(raw.uid)}).content.decode()
    assert "1 dataset with 3 files, 2.00 KiB" in review
    assert review.count(" checked>") == 2 and "Map" in review and "Slice 1" not in review
    assert public_titles() == set()
    wanted = Dataset.objects.get(title="Map")
    values = {"action": "release", "dataset": [str(raw.uid), str(wanted.uid)]}
    again = lab.pi.post(f"{lab.path}/release", values).content.decode()
    assert "Draft of a map" in again and " checked>" not in again, "what was unticked is not ticked again"
    lab.pi.post(f"{lab.path}/release", values | {"is_understood": "on"})
    assert public_titles() == {"Slice 0", "Map"}


def test_a_link_may_name_datasets_and_releases_nothing(lab: SimpleNamespace) -> None:
    page = lab.pi.get(f"{lab.path}/release?dataset={lab.datasets[1].uid}&action=release&is_understood=on")
    assert page.status_code == 200 and b"Slice 1" in page.content
    assert lab.pi.get(f"{lab.path}/release?dataset=nonsense").status_code == 422
    assert public_titles() == set()


def test_asking_granting_less_and_what_the_leader_then_sees(lab: SimpleNamespace) -> None:
    path = f"{lab.path}/extension"
    assert b"Ask for more time" in lab.pi.get(path).content
    until = (lab.investigation.embargo_until + 200 * DAY).date()
    wrong = lab.pi.post(path, {"until": "2200-01-01", "reason": "More."})
    assert wrong.status_code == 422 and b"at the latest" in wrong.content
    assert lab.pi.post(path, {"until": until, "reason": "A patent is pending."}).status_code == 302
    request = ExtensionRequest.objects.get()
    assert request.until.date() == until
    assert b"A patent is pending." in lab.curator.get("/curate").content
    page = f"/curate/extensions/{request.uid}"
    assert b"A patent is pending." in lab.curator.get(page).content
    shorter = until - 30 * DAY
    bare = lab.curator.post(page, {"action": "grant", "until": shorter})
    assert bare.status_code == 422 and b"Say why it is shorter" in bare.content
    lab.curator.post(page, {"action": "grant", "until": shorter, "reason": "The patent office is quick."})
    assert Investigation.objects.get().embargo_until.date() == shorter
    assert b"The patent office is quick." in lab.pi.get(path).content
    assert b"The patent office is quick." in lab.pi.get("/me").content
    assert b"A patent is pending." not in lab.curator.get("/curate").content


def test_a_refusal_needs_a_reason_and_says_when_it_opens_the_data(lab: SimpleNamespace) -> None:
    until = lab.investigation.embargo_until + 90 * DAY
    request = request_extension(actor=lab.leader, investigation=lab.investigation, until=until, reason="More time.")
    page = f"/curate/extensions/{request.uid}"
    assert lab.curator.post(page, {"action": "refuse", "until": until.date()}).status_code == 422
    with time_machine.travel(lab.investigation.embargo_until + DAY):
        curator = client_of(User.objects.get(username="curator"))
        assert b"open at once" in curator.get(page).content
        curator.post(page, {"action": "refuse", "until": until.date(), "reason": "Three years were enough."})
        assert len(public_titles()) == 3


def test_the_leader_takes_a_request_back(lab: SimpleNamespace) -> None:
    until = lab.investigation.embargo_until + 90 * DAY
    request_extension(actor=lab.leader, investigation=lab.investigation, until=until, reason="More time.")
    path = f"{lab.path}/extension"
    assert b"Take the request back" not in lab.member.get(path).content
    assert lab.member.post(path, {"action": "take-back"}).status_code == 403
    lab.pi.post(path, {"action": "take-back"})
    assert ExtensionRequest.objects.get().state == "withdrawn"
    assert Investigation.objects.get().held_until is None


@pytest.mark.parametrize("step", ["release", "release/choose"])
def test_members_release_nothing(lab: SimpleNamespace, step: str) -> None:
    assert lab.member.get(f"{lab.path}/{step}").status_code == 403


def test_a_withdrawal_leaves_a_page_with_reason_and_citation(lab: SimpleNamespace) -> None:
    assert lab.pi.get(f"{lab.path}/withdraw").status_code == 403
    page = lab.curator.get(f"{lab.path}/withdraw").content.decode()
    assert "3 datasets with" in page and "Nothing is deleted" in page
    assert lab.curator.post(f"{lab.path}/withdraw", {"reason": "Of a wrong sample."}).status_code == 422
    assert Investigation.objects.get().state == "active"
    lab.curator.post(f"{lab.path}/withdraw", {"reason": "Of a wrong sample.", "is_understood": "on"})
    for path, title in ((lab.path, lab.investigation.title), (f"/datasets/{lab.datasets[0].uid}", "Slice 0")):
        tombstone = Client().get(path)
        assert tombstone.status_code == 410
        assert b"Of a wrong sample." in tombstone.content
        assert title.encode() in tombstone.content.split(b'id="citation"')[1]
    assert lab.pi.get(f"{lab.path}/release").status_code == 409


def test_one_dataset_is_withdrawn_by_its_own_page(lab: SimpleNamespace) -> None:
    path = f"/datasets/{lab.datasets[0].uid}"
    assert f"{path}/withdraw" in lab.curator.get(path).content.decode()
    lab.curator.post(f"{path}/withdraw", {"reason": "Of a wrong sample.", "is_understood": "on"})
    assert Client().get(path).status_code == 410
    assert Client().get(f"/datasets/{lab.datasets[1].uid}").status_code == 200


def test_the_investigation_shows_its_clock_to_all_and_what_can_be_done_to_its_team(lab: SimpleNamespace) -> None:
    end = timezone.localtime(lab.investigation.embargo_until)
    clock = f"{end.day} {end:%B %Y, %H:%M} UTC"
    visitor = Client().get(lab.path)
    assert clock in visitor.content.decode() and b"Release now" not in visitor.content
    assert "private" not in visitor.get("Cache-Control", "")
    leader = lab.pi.get(lab.path)
    assert b"Release now" in leader.content and b"Ask for more time" in leader.content
    assert "private" in leader["Cache-Control"]
    assert b"Release now" not in lab.member.get(lab.path).content


def test_the_dashboard_offers_both_ways_before_an_embargo_ends(lab: SimpleNamespace) -> None:
    text = lab.pi.get("/me").content.decode()
    assert f"{lab.path}/release" in text and f"{lab.path}/extension" in text
    member = lab.member.get("/me").content.decode()
    assert "Open soon" in member and f"{lab.path}/release" not in member


def test_a_dataset_gets_a_day_of_its_own_from_who_leads_and_not_beyond_the_rest(lab: SimpleNamespace) -> None:
    dataset = lab.datasets[0]
    path = f"/datasets/{dataset.uid}/embargo"
    assert path in lab.pi.get(f"{lab.path}/release/choose").content.decode()
    assert lab.member.get(path).status_code == 403
    day = (timezone.now() + 5 * DAY).date()
    assert b"The dataset opens on" in lab.pi.post(path, {"until": day.isoformat()}, follow=True).content
    dataset.refresh_from_db()
    assert dataset.embargo_until.date() == day
    late = (lab.investigation.embargo_until + 2 * DAY).date().isoformat()
    refused = lab.pi.post(path, {"until": late})
    assert refused.status_code == 422 and b"at the latest" in refused.content
    with time_machine.travel(dataset.embargo_until + DAY):
        assert public_titles() == {"Slice 0"}
        assert b"its embargo is over" in lab.pi.get(path).content
