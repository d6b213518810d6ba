"""What administrators see of DOIs, and what the status page counts."""

import pytest

from catalogue.access import SYSTEM, principal_of
from catalogue.errors import NotAllowed
from doi import services
from doi.models import Identifier
from doi.selectors import counts, measure_counts, not_in_agreement
from tests import factories
from tests.doi.world import deliver, make_draft, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    user = factories.make_user("root", is_superuser=True, is_staff=True)
    client.force_login(user)
    return user


def test_those_not_in_agreement_are_listed_and_tried_again_by_a_button(datacite, administrator, client):
    draft = make_draft()
    datacite.stop()
    identifier = draft.publish()
    deliver()
    page = client.get("/admin/doi/identifier/?agreement=no")
    assert identifier.doi in page.content.decode()
    assert "cannot be reached" in page.content.decode()
    assert identifier.doi not in client.get("/admin/doi/identifier/?agreement=yes").content.decode()
    answer = client.post("/admin/doi/identifier/", {"action": "try_again", "_selected_action": [identifier.pk]})
    assert answer.status_code == 302
    assert waiting() == 1, "the delivery that waited is brought forward, not doubled"
    assert "not answer" in client.get(f"/admin/doi/identifier/{identifier.pk}/change/").content.decode()


def test_a_doi_is_not_edited_by_hand(datacite, administrator, client):
    identifier = make_draft().publish()
    address = f"/admin/doi/identifier/{identifier.pk}/change/"
    client.post(address, {"doi": "10.5072/other"})
    identifier.refresh_from_db()
    assert identifier.doi != "10.5072/other"
    assert client.post(f"/admin/doi/identifier/{identifier.pk}/delete/").status_code == 403


def test_dois_are_counted_by_state(datacite):
    drafts = [make_draft() for _ in range(3)]
    services.reserve(actor=drafts[0].actor, collection=drafts[0].collection)
    drafts[1].publish()
    deliver(passes=2)
    datacite.stop()
    drafts[2].publish()
    deliver()
    measure_counts()
    assert counts() == {"draft": 1, "registered": 0, "findable": 2, "not_in_agreement": 1}
    assert [one.collection for one in not_in_agreement()] == [drafts[2].collection]


def test_all_landing_pages_are_told_anew_when_the_site_moves(datacite, settings):
    from doi.client import client_from_settings

    draft = make_draft()
    draft.publish()
    deliver(passes=2)
    settings.SITE_URL = "https://new.example.org"
    assert services.resend_landing_urls(actor=SYSTEM) == 2
    deliver()
    for doi in Identifier.objects.values_list("doi", flat=True):
        assert client_from_settings().get(doi).url == f"https://new.example.org/doi/{doi}"


def test_strangers_neither_retry_nor_move_the_site(datacite):
    identifier = make_draft().publish()
    stranger = principal_of(factories.make_user())
    with pytest.raises(NotAllowed):
        services.retry(actor=stranger, identifier=identifier)
    with pytest.raises(NotAllowed):
        services.resend_landing_urls(actor=stranger)
