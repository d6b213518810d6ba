"""Release, and asking for a longer embargo, by token."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from catalogue.models import Dataset, ExtensionRequest, Investigation
from tests import factories
from tests.catalogue.api.conftest import Api, api_of


@pytest.fixture
def path(lab: SimpleNamespace) -> str:
    return f"investigations/{lab.investigation.uid}"


def test_a_release_is_confirmed_by_the_visit_id(pi: Api, visitor: Api, lab: SimpleNamespace, path: str) -> None:
    datasets = [factories.make_dataset(lab.investigation) for _ in range(2)]
    refused = pi.post(f"{path}/release", {"confirm": "yes"})
    assert (refused.status_code, list(refused.json()["fields"])) == (422, ["confirm"])
    body = {"confirm": lab.investigation.visit_id, "datasets": [str(datasets[0].uid)]}
    assert pi.post(f"{path}/release", body).json()["dataset_count"] == 1
    assert [visitor.get(f"datasets/{one.uid}").json()["access"]["is_open"] for one in datasets] == [True, False]
    whole = pi.post(f"{path}/release", {"confirm": lab.investigation.visit_id}, Idempotency_Key="one")
    again = pi.post(f"{path}/release", {"confirm": lab.investigation.visit_id}, Idempotency_Key="one")
    assert whole.json() == again.json() == {"investigation": str(lab.investigation.uid), "dataset_count": 1}
    assert visitor.get(f"datasets/{datasets[1].uid}").json()["access"]["is_open"]


def test_neither_instruments_nor_tokens_that_only_read_release_anything(
    machine: Api, lab: SimpleNamespace, path: str
) -> None:
    leader = lab.investigation.team.get(role="pi").person.user
    body = {"confirm": lab.investigation.visit_id}
    for api in (machine, api_of(leader, "read"), api_of(factories.make_user("stranger in need"))):
        assert api.post(f"{path}/release", body).status_code in (403, 404)
    assert not Investigation.objects.exclude(released_at=None).exists()
    assert not Dataset.objects.exclude(released_at=None).exists()


def test_more_time_is_asked_for(pi: Api, lab: SimpleNamespace, path: str) -> None:
    until = lab.investigation.embargo_until + timedelta(days=10)
    body = {"until": until.isoformat(), "reason": "The thesis is not handed in."}
    answer = pi.post(f"{path}/extension-requests", body)
    assert (answer.status_code, answer.json()["state"]) == (201, "open")
    assert ExtensionRequest.objects.get().until == until
    assert pi.post(f"{path}/extension-requests", body).json()["code"] == "already-requested"


def test_a_dataset_gets_an_embargo_of_its_own(pi: Api, visitor: Api, lab: SimpleNamespace) -> None:
    dataset = factories.make_dataset(lab.investigation)
    until = lab.investigation.embargo_until - timedelta(days=1)
    path = f"datasets/{dataset.uid}/embargo"
    assert visitor("PUT", path, {"until": until.isoformat()}).status_code in (401, 403)
    assert pi("PUT", path, {"until": until.isoformat()}).status_code == 200
    dataset.refresh_from_db()
    assert dataset.embargo_until == until
    refused = pi("PUT", path, {"until": (until + timedelta(days=30)).isoformat()})
    assert (refused.status_code, list(refused.json()["fields"])) == (422, ["until"])
