"""Collections over HTTP: what was published is for everybody, a draft for who may change it."""

from types import SimpleNamespace

import pytest
from django.db.models import Q
from django.utils import timezone

from catalogue.access import principal_of
from catalogue.models import Collection
from catalogue.services.collections import start_collection
from tests import factories
from tests.catalogue.api.conftest import Api

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def collection(lab: SimpleNamespace) -> Collection:
    leader = lab.investigation.team.get(role="pi").person.user
    made = [factories.make_dataset(lab.investigation, title=f"Slice {number}") for number in range(3)]
    return start_collection(actor=principal_of(leader), datasets=Q(uid__in=[one.uid for one in made]))


def uids(answer: object) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["uid"] for one in answer.json()["results"]]


def publish(collection: Collection, **changes: object) -> None:
    values = {"state": "published", "doi": "10.5072/one", "published_at": timezone.now(), "title": "Slices"}
    Collection.objects.filter(pk=collection.pk).update(**(values | changes))


def test_a_draft_is_read_by_who_may_change_it_and_by_nobody_else(
    pi: Api, visitor: Api, stranger: Api, collection: Collection
) -> None:
    path = f"collections/{collection.uid}"
    assert uids(pi.get("collections?state=draft")) == [str(collection.uid)]
    assert pi.get(path).json()["dataset_count"] == 3
    for api in (visitor, stranger):
        assert uids(api.get("collections")) == []
        assert (api.get(path).status_code, api.get(f"{path}/members").status_code) == (404, 404)


def test_what_was_published_is_read_by_everybody_with_its_members_in_pages(
    visitor: Api, collection: Collection
) -> None:
    publish(collection)
    assert uids(visitor.get("collections")) == [str(collection.uid)]
    record = visitor.get(f"collections/{collection.uid}").json()
    assert (record["doi"], record["member_count"]) == ("10.5072/one", 3)
    first = visitor.get(f"collections/{collection.uid}/members?limit=2").json()
    second = visitor.get(first["next"].removeprefix("http://testserver/api/v1/")).json()
    titles = [one["title"] for one in (*first["results"], *second["results"])]
    assert (titles, second["next"]) == (["Slice 0", "Slice 1", "Slice 2"], None)
    assert visitor.get(f"collections/{collection.uid}/members?cursor=x").status_code == 422


def test_a_withdrawn_collection_is_a_tombstone(visitor: Api, collection: Collection) -> None:
    publish(collection, state="withdrawn", withdrawal_reason="Wrong sample.", text={"abstract": "Secret."})
    answer = visitor.get(f"collections/{collection.uid}")
    assert (answer.status_code, answer.json()["withdrawal_reason"]) == (410, "Wrong sample.")
    assert answer.json()["text"]["abstract"] == ""
    assert uids(visitor.get(f"collections/{collection.uid}/members")) == []
