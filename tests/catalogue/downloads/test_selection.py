import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from catalogue.models import Dataset, Download, SelectedDataset, Storage, User
from catalogue.services import selections
from tests import factories
from tests.catalogue.downloads.conftest import body_of
from tests.catalogue.downloads.test_zips import contents_of

PAGE = "/selection"


def change(client: Client, action: str, *datasets: Dataset, **headers: str):
    data = {"action": action, "dataset": [str(dataset.uid) for dataset in datasets]}
    return client.post(PAGE, data, headers=headers)


def shown(client: Client) -> list[str]:
    return [record.title for record in client.get(PAGE).context["records"]]


def test_a_visitors_selection_lives_in_the_session(
    client: Client, open_dataset: Dataset, closed_dataset: Dataset
) -> None:
    assert change(client, "add", open_dataset, closed_dataset).status_code == 302
    change(client, "add", open_dataset)
    assert shown(client) == ["An open dataset", "A closed dataset"]
    assert not SelectedDataset.objects.exists()
    change(client, "remove", open_dataset)
    assert shown(client) == ["A closed dataset"]
    change(client, "clear")
    assert shown(client) == []


def test_the_page_says_what_cannot_be_downloaded_and_why(
    client: Client, open_dataset: Dataset, closed_dataset: Dataset
) -> None:
    change(client, "add", open_dataset, closed_dataset)
    response = client.get(PAGE)
    assert [record.title for record in response.context["refused"]] == ["A closed dataset"]
    assert response.context["total_size"] == open_dataset.size
    assert response.context["file_count"] == open_dataset.file_count
    assert "Open from" in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_a_users_selection_lives_in_the_account(client: Client, open_dataset: Dataset, pi: User) -> None:
    client.force_login(pi)
    change(client, "add", open_dataset)
    other = Client()
    other.force_login(pi)
    assert shown(other) == ["An open dataset"]
    assert "Selection (1)" in other.get(PAGE).content.decode()
    change(other, "remove", open_dataset)
    assert shown(client) == []


def test_signing_in_keeps_what_the_visitor_had_chosen(
    client: Client, open_dataset: Dataset, closed_dataset: Dataset, pi: User
) -> None:
    SelectedDataset.objects.create(user=pi, dataset=closed_dataset)
    change(client, "add", open_dataset, closed_dataset)
    client.force_login(pi)
    assert shown(client) == ["A closed dataset", "An open dataset"]
    client.logout()
    assert shown(client) == []


def test_a_dataset_that_nobody_may_know_of_cannot_be_chosen(
    client: Client, closed_dataset: Dataset, settings: Settings
) -> None:
    factories.set_embargo_metadata("none")
    change(client, "add", closed_dataset)
    assert shown(client) == []


def test_a_dataset_that_was_withdrawn_leaves_the_page(client: Client, open_dataset: Dataset) -> None:
    change(client, "add", open_dataset)
    Dataset.objects.update(state="withdrawn", withdrawal_reason="wrong")
    assert shown(client) == []
    assert client.get(f"{PAGE}/download.zip").status_code == 404


def test_a_selection_is_bounded(client: Client, open_dataset: Dataset) -> None:
    session = client.session
    session[selections.KEY] = [str(uuid.uuid4()) for _ in range(selections.MOST_OF_VISITOR)]
    session.save()
    response = change(client, "add", open_dataset)
    assert response.status_code == 422
    assert "at most 200 datasets" in response.content.decode()


def test_htmx_gets_the_button_in_its_new_state(client: Client, open_dataset: Dataset) -> None:
    response = change(client, "add", open_dataset, **{"hx-request": "true"})
    assert response.status_code == 200
    assert "Remove from my selection" in response.content.decode()
    assert "Add to my selection" in change(client, "remove", open_dataset, **{"hx-request": "true"}).content.decode()


def test_the_visitor_returns_to_the_page_of_the_button_but_to_no_other_site(
    client: Client, open_dataset: Dataset
) -> None:
    here = f"http://testserver/datasets/{open_dataset.uid}"
    assert change(client, "add", open_dataset, referer=here)["Location"] == here
    assert change(client, "add", open_dataset, referer="https://evil.example/x")["Location"] == PAGE


def test_nonsense_is_refused(client: Client, db: None) -> None:
    assert client.post(PAGE, {"action": "explode"}).status_code == 422
    assert client.post(PAGE, {"action": "add", "dataset": "not an id"}).status_code == 422
    assert Client(enforce_csrf_checks=True).post(PAGE, {"action": "clear"}).status_code == 403


def test_the_zip_holds_what_may_be_had_and_names_the_rest(
    client: Client, open_dataset: Dataset, closed_dataset: Dataset, storage: Storage
) -> None:
    second = factories.make_dataset(is_open=True, storage=storage, files={"x.dat": b"x"})
    change(client, "add", open_dataset, closed_dataset, second)
    response = client.get(f"{PAGE}/download.zip")
    assert "private" in response["Cache-Control"]
    contents = contents_of(body_of(response))
    assert contents["x.dat"] == b"x"
    assert "images/a b.tif" in contents
    assert contents["NOT-INCLUDED.txt"].decode().count("\n") == 3
    assert "A closed dataset" in contents["NOT-INCLUDED.txt"].decode()
    assert set(Download.objects.values_list("dataset_id", "size")) == {
        (open_dataset.pk, open_dataset.size),
        (second.pk, 1),
    }


@pytest.mark.parametrize("ending", ["files.sha256", "files.aria2.txt", "files.rclone.txt"])
def test_the_lists_hold_what_may_be_had_each_dataset_in_its_folder(
    client: Client, open_dataset: Dataset, closed_dataset: Dataset, ending: str
) -> None:
    change(client, "add", open_dataset, closed_dataset)
    text = body_of(client.get(f"{PAGE}/{ending}")).decode()
    assert text.count("a b.tif") == 1
    assert "an-open-dataset-" in text
    assert str(closed_dataset.uid) not in text


def test_the_page_takes_as_many_queries_for_many_datasets_as_for_one(client: Client, pi: User) -> None:
    client.force_login(pi)
    counts = []
    for _ in range(2):
        change(client, "add", *[factories.make_dataset(is_open=True) for _ in range(6)])
        with CaptureQueriesContext(connection) as queries:
            shown(client)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_selection_of_closed_data_only_offers_no_download(client: Client, closed_dataset: Dataset) -> None:
    change(client, "add", closed_dataset)
    assert "download.zip" not in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}/download.zip").status_code == 404


def test_the_page_of_a_chosen_dataset_offers_to_remove_it(client: Client, open_dataset: Dataset) -> None:
    page = f"/datasets/{open_dataset.uid}"
    assert "Add to my selection" in client.get(page).content.decode()
    change(client, "add", open_dataset)
    assert "Remove from my selection" in client.get(page).content.decode()
