"""Saved searches: kept, told of once and only of what their owner sees, followed by a feed that its owner can stop."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from catalogue.access import SYSTEM, principal_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import AuditEntry
from catalogue.outbox import deliver_due
from search.models import SavedSearch
from search.saved import MARGIN, save_search, tell_of_news
from tests import factories
from tests.search.conftest import SECRET


@pytest.fixture
def reader(laboratory):
    return factories.make_user("hedy", email="hedy@example.org")


def save(user, *, name="Nanowires", parameters="q=nanowire", is_mailed=True) -> SavedSearch:
    return save_search(actor=principal_of(user), name=name, parameters=parameters, is_mailed=is_mailed)


def told(later: timedelta = timedelta(hours=1)) -> list[str]:
    """The texts of the mails that are sent when the site tells of news that much later."""
    mail.outbox.clear()
    moment = timezone.now() + later
    with time_machine.travel(moment, tick=False):
        tell_of_news(actor=SYSTEM, now=moment)
        deliver_due()
    return [f"{one.subject}\n{one.body}" for one in mail.outbox]


def test_a_search_is_saved_in_canonical_form_and_the_log_says_so(reader):
    saved = save(reader, parameters="kind=raw&q=nanowire&cursor=x&nonsense=1")
    assert saved.parameters == "q=nanowire&kind=raw"
    assert AuditEntry.objects.filter(action="save-search", object_id=str(saved.uid)).exists()


def test_a_name_is_needed_and_given_once(reader):
    save(reader)
    with pytest.raises(Conflict):
        save(reader)
    with pytest.raises(InvalidInput):
        save(reader, name="   ")


def test_tokens_and_strangers_save_nothing(reader):
    for actor in (
        principal_of(reader, scopes=frozenset({"read"})),
        principal_of(Client().get("/policy").wsgi_request.user),
    ):
        with pytest.raises(NotAllowed):
            save_search(actor=actor, name="x", parameters="", is_mailed=False)


def test_what_is_new_is_mailed_once(reader, build_index):
    save(reader)
    assert told(timedelta(minutes=1)) == []
    factories.make_dataset(is_open=True, title="Nanowires, new ones")
    factories.make_dataset(is_open=True, title="Platinum again")
    build_index()
    first = told(timedelta(hours=2))
    assert len(first) == 1
    assert first[0].startswith("1 new dataset: Nanowires\n")
    assert "Nanowires, new ones" in first[0] and "Platinum" not in first[0]
    assert told(timedelta(hours=3)) == []


def test_what_the_clock_opens_is_new_to_those_who_could_not_read_it(reader, laboratory, build_index):
    save(reader, name="Secret", parameters=f"q={SECRET}")
    opens_at = laboratory.hidden.investigation.embargo_until
    assert told() == []
    texts = told(opens_at - timezone.now() + MARGIN + timedelta(hours=1))
    assert len(texts) == 1 and "Slice 1" in texts[0]


def test_nobody_is_mailed_of_what_they_may_not_see(reader, laboratory, build_index):
    save(reader, name="All", parameters="")
    hidden = factories.make_dataset(laboratory.hidden.investigation, title="Slice 2", description="closed as well")
    factories.set_embargo_metadata("none")
    build_index()
    assert told() == []
    assert hidden.pk


def test_the_page_saves_changes_and_removes(client, reader):
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    assert "Words: nanowire" in client.get("/me/searches", {"search": "q=nanowire"}).content.decode()
    client.post("/me/searches", {"action": "save", "search": "q=nanowire", "name": "Wires"})
    saved = SavedSearch.objects.get()
    assert not saved.is_mailed
    client.post("/me/searches", {"action": "mails", "uid": saved.uid, "is_mailed": "yes"})
    assert SavedSearch.objects.get().is_mailed
    refused = client.post("/me/searches", {"action": "save", "search": "q=x", "name": "Wires"})
    assert refused.status_code == 422 and "You have a saved search of that name." in refused.content.decode()
    client.post("/me/searches", {"action": "remove", "uid": saved.uid})
    assert not SavedSearch.objects.exists()


def test_somebody_else_changes_nothing(client, reader, laboratory):
    saved = save(reader)
    client.force_login(laboratory.pi, backend="django.contrib.auth.backends.ModelBackend")
    for action in ("remove", "feed", "mails", "stop-feed"):
        assert client.post("/me/searches", {"action": action, "uid": saved.uid}).status_code == 404
    assert SavedSearch.objects.get().feed_digest == ""


def feed_of(client, saved: SavedSearch) -> str:
    html = client.post("/me/searches", {"action": "feed", "uid": saved.uid}).content.decode()
    return re.search(r'id="feed-url">[^<]*(/search/feeds/[^<]+)<', html)[1]


def test_a_feed_shows_what_everybody_sees_until_it_is_stopped(client, laboratory):
    pi = laboratory.pi
    client.force_login(pi, backend="django.contrib.auth.backends.ModelBackend")
    closed = feed_of(client, save(pi, name="closed", parameters=f"q={SECRET}", is_mailed=False))
    assert client.get(closed).status_code == 200 and b"<entry>" not in client.get(closed).content
    saved = save(pi, parameters="q=nanowires", is_mailed=False)
    path = feed_of(client, saved)
    answer = Client().get(path)
    assert answer.status_code == 200 and b"Nanowires, overview" in answer.content
    assert "no-store" in answer["Cache-Control"] and "noindex" in answer["X-Robots-Tag"]
    assert path.rpartition("/")[2] not in str(list(AuditEntry.objects.values())) + str(
        list(SavedSearch.objects.values())
    )
    client.post("/me/searches", {"action": "stop-feed", "uid": saved.uid})
    assert Client().get(path).status_code == 404


def test_the_feed_of_a_closed_account_is_gone(client, laboratory):
    client.force_login(laboratory.pi, backend="django.contrib.auth.backends.ModelBackend")
    path = feed_of(client, save(laboratory.pi))
    laboratory.pi.is_active = False
    laboratory.pi.save()
    assert Client().get(path).status_code == 404
