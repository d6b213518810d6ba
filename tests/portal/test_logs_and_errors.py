"""Every answer and every line of the log carry the id of the request; errors help people and machines."""

import json
import logging
from urllib.parse import urlencode

import pytest
from celery import shared_task
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from catalogue.access import SYSTEM
from catalogue.audit import write_audit
from catalogue.context import current_request_id
from catalogue.errors import Conflict, Gone, InvalidInput, NotAllowed, NotFound, StaleVersion, Unavailable
from catalogue.models import AuditEntry, RegistrationDraft
from portal.logs import JsonFormatter, RequestIdFilter
from tests import factories
from tests.factories import make_facility

ERRORS = {
    "invalid": (InvalidInput, 422),
    "missing": (NotFound, 404),
    "forbidden": (NotAllowed, 403),
    "conflict": (Conflict, 409),
    "stale": (StaleVersion, 412),
    "gone": (Gone, 410),
    "unavailable": (Unavailable, 503),
}


def raise_domain_error(request: HttpRequest, kind: str) -> HttpResponse:
    raise ERRORS[kind][0]("What happened, and what to do next.", fields={"title": ["Required."]})


def fail(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("secret detail")


def log_and_audit(request: HttpRequest) -> HttpResponse:
    logging.getLogger("portal.test").warning("seen")
    write_audit(actor=SYSTEM, action="test", record=make_facility())
    return HttpResponse("done")


@shared_task
def log_something() -> None:
    logging.getLogger("portal.test").warning("at work")


broken = [
    path("errors/<str:kind>", raise_domain_error),
    path("fail", fail),
    path("log", log_and_audit),
]
urlpatterns = [path("", include(broken)), path("api/", include(broken)), path("", include("portal.urls"))]
handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.permission_denied"
handler404 = "portal.errors.page_not_found"
handler500 = "portal.errors.server_error"

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("kind", ERRORS)
def test_a_domain_error_is_a_page_that_says_what_to_do(client: Client, kind: str):
    answer = client.get(f"/errors/{kind}", headers={"X-Request-ID": "abc-123"})
    assert answer.status_code == ERRORS[kind][1]
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
    assert "What happened, and what to do next." in text
    assert "abc-123" in text
    assert "<h1>" in text


@pytest.mark.parametrize("kind", ERRORS)
def test_a_domain_error_is_a_problem_document_for_machines(client: Client, kind: str):
    answer = client.get(f"/api/errors/{kind}", headers={"X-Request-ID": "abc-123"})
    document = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.status_code == document["status"] == ERRORS[kind][1]
    assert document["code"] == ERRORS[kind][0].code
    assert document["detail"] == "What happened, and what to do next."
    assert document["fields"] == {"title": ["Required."]}
    assert document["request_id"] == "abc-123"


def test_our_own_mistake_tells_the_request_id_and_nothing_else(client: Client):
    page, problem = client.get("/fail"), client.get("/api/fail")
    assert page.status_code == problem.status_code == 500
    assert page["X-Request-ID"] in page.content.decode()
    assert problem.json()["code"] == "internal"
    assert problem["Content-Type"] == "application/problem+json"
    assert b"secret detail" not in page.content + problem.content


def test_the_page_of_our_own_mistake_needs_no_database(client: Client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/fail").status_code == 500


def test_an_address_that_does_not_exist_is_explained(client: Client):
    assert "nothing at this address" in client.get("/no-such-page").content.decode()
    assert client.get("/api/no-such-page").json()["code"] == "not-found"


@pytest.mark.parametrize("address", ["/search?technique=%00", "/search?cursor=a%00b", "/datasets/%00", "/api/%00"])
def test_an_address_with_a_nul_character_is_refused(client: Client, address: str):
    assert client.get(address).status_code == 400


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart"])
def test_a_form_with_a_nul_character_is_refused_wherever_it_is_sent(client: Client, form: str):
    pi = factories.make_user("regina")
    client.force_login(pi, backend="django.contrib.auth.backends.ModelBackend")
    client.post("/register", {"start": "described"})
    draft = RegistrationDraft.objects.get()
    values = {"title": "Grains\x00", "action": "save"}
    if form == "multipart":
        answer = client.post(f"/register/{draft.uid}", values)
    else:
        answer = client.post(f"/register/{draft.uid}", urlencode(values), content_type=form)
    assert answer.status_code == 400
    draft.refresh_from_db()
    assert "description" not in draft.content


def test_the_caller_may_name_the_request_unless_the_name_is_unfit(client: Client):
    assert client.get("/healthz", headers={"X-Request-ID": "from-the-proxy.1"})["X-Request-ID"] == "from-the-proxy.1"
    unfit = client.get("/healthz", headers={"X-Request-ID": "a b<script>"})["X-Request-ID"]
    assert len(unfit) == 32 and unfit.isalnum()
    assert client.get("/healthz")["X-Request-ID"] != client.get("/healthz")["X-Request-ID"]


def test_logs_and_audit_rows_carry_the_id_of_the_request(client: Client, caplog):
    caplog.handler.addFilter(RequestIdFilter())
    client.get("/log", headers={"X-Request-ID": "abc-123"})
    record = next(record for record in caplog.records if record.name == "portal.test")
    assert record.request_id == "abc-123"
    assert AuditEntry.objects.get(action="test").request_id == "abc-123"


def test_logs_of_a_task_carry_the_id_of_the_task(caplog):
    caplog.handler.addFilter(RequestIdFilter())
    before = current_request_id.get()
    outcome = log_something.apply()
    logging.getLogger("portal.test").warning("afterwards")
    ids = [record.request_id for record in caplog.records if record.name == "portal.test"]
    assert ids == [outcome.id, before]


def test_a_line_of_the_log_is_one_json_object_even_for_an_exception():
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        record = logging.LogRecord("a", logging.ERROR, "f", 1, "said %s", ("é\nè",), (type(error), error, None))
    record.request_id = "abc"
    text = JsonFormatter().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert line["message"] == "said é\nè"
    assert line["request_id"] == "abc"
    assert "two" in line["exception"]
    assert line["at"].endswith("+00:00")
