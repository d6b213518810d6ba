"""What the pages of the selection and of curators show, over HTTP too."""

from types import SimpleNamespace

import pytest

from catalogue.access import SYSTEM, principal_of
from catalogue.services.releases import release_investigation
from catalogue.services.selections import add_to_selection
from catalogue.services.withdrawals import withdraw_dataset
from tests import factories
from tests.catalogue.api.conftest import Api

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_a_selection_is_read_by_its_owner_in_the_order_of_choosing(
    lab: SimpleNamespace, pi: Api, stranger: Api, visitor: Api
) -> None:
    made = [factories.make_dataset(lab.investigation, title=f"Slice {number}") for number in range(3)]
    chosen = [made[2].uid, made[0].uid]
    for uid in chosen:
        add_to_selection(actor=principal_of(lab.pi), session={}, uids=[uid])
    assert [one["uid"] for one in pi.get("selection").json()["results"]] == [str(uid) for uid in chosen]
    assert stranger.get("selection").json()["results"] == visitor.get("selection").json()["results"] == []
    assert pi.get("selection?page=2").status_code == 422


def test_curators_read_who_did_what_page_by_page_and_narrowed(lab: SimpleNamespace, curator: Api) -> None:
    datasets = [factories.make_dataset(lab.investigation) for _ in range(3)]
    for dataset in datasets:
        withdraw_dataset(actor=SYSTEM, dataset=dataset, reason="A mistake.")
    release_investigation(actor=SYSTEM, investigation=lab.investigation)
    withdrawn = curator.get("audit-log?action=withdraw&limit=2").json()
    assert [one["object_id"] for one in withdrawn["results"]] == [str(one.uid) for one in datasets[:0:-1]]
    rest = curator.get(withdrawn["next"].partition("/api/v1/")[2]).json()
    assert [one["object_id"] for one in rest["results"]] == [str(datasets[0].uid)]
    assert "A mistake." in rest["results"][0]["after"].values()
    of_one = curator.get(f"audit-log?record={lab.investigation.uid}").json()["results"]
    assert "release" in {one["action"] for one in of_one}
    assert curator.get("audit-log?cursor=nowhere").json()["code"] == "invalid"


def test_curators_read_what_needs_attention(lab: SimpleNamespace, curator: Api) -> None:
    lab.storage.state = "unavailable"
    lab.storage.state_text = "It does not answer."
    lab.storage.save()
    found = curator.get("problems").json()["results"]
    assert [(one["title"], one["record"]) for one in found] == [("Storage does not answer", lab.storage.name)]


@pytest.mark.parametrize("path", ["audit-log", "problems"])
def test_curators_lists_are_for_curators(path: str, pi: Api, stranger: Api, visitor: Api) -> None:
    assert {one.get(path).status_code for one in (pi, stranger, visitor)} == {403}
