"""What harvesters ask wrongly, and what stands in records that XML does not bear: told in the protocol's terms, never a failure."""

from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from lxml import etree

from catalogue.models import TeamMember
from tests import factories
from tests.catalogue.oaipmh.harvesting import ask, checked, error_of, harvest, records_in, token_of

pytestmark = pytest.mark.django_db
LIST = "verb=ListRecords&metadataPrefix=oai_dc"


def code_of(query: str) -> str:
    return error_of(checked(Client().get(f"/oai?{query}")))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "badVerb"),
        ("verb=", "badVerb"),
        ("verb=listRecords", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&verb=ListSets", "badVerb"),
        ("verb=%00", "badVerb"),
        ("verb=Identify&set=type", "badArgument"),
        ("verb=Identify&%3Cb%3E=1", "badArgument"),
        ("verb=Identify&%01=1", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
        ("verb=GetRecord&identifier=oai:a.b:c", "badArgument"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListIdentifiers", "badArgument"),
        (f"{LIST}&metadataPrefix=oai_dc", "badArgument"),
        (f"{LIST}&from=2026-01-01&from=2026-01-01", "badArgument"),
        (f"{LIST}&from=", "badArgument"),
        (f"{LIST}&from=yesterday", "badArgument"),
        (f"{LIST}&from=2026-02-30", "badArgument"),
        (f"{LIST}&from=0000-01-01", "badArgument"),
        (f"{LIST}&from=2026-01-01T00:00:00", "badArgument"),
        (f"{LIST}&from=2026-01-01T24:00:00Z", "badArgument"),
        (f"{LIST}&from=2026-01-01T00:00:00.5Z", "badArgument"),
        (f"{LIST}&from=%D9%A2%D9%A0%D9%A2%D9%A6-01-01", "badArgument"),
        (f"{LIST}&from=2026-01-02&until=2026-01-01", "badArgument"),
        (f"{LIST}&from=2026-01-01&until=2026-01-02T00:00:00Z", "badArgument"),
        (f"{LIST}&set=", "badArgument"),
        (f"{LIST}&set=a%20b", "badArgument"),
        (f"{LIST}&resumptionToken=x", "badArgument"),
        ("verb=ListSets&set=type", "badArgument"),
        ("verb=ListRecords&metadataPrefix=a%20b", "badArgument"),
        ("verb=ListMetadataFormats&identifier=%3Cx%3E", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:a%00b", "badArgument"),
        ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat"),
        ("verb=GetRecord&metadataPrefix=marc21&identifier=oai:a.b:c", "cannotDisseminateFormat"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:a.b:c", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:faircat.localhost:datasets/1", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:faircat.localhost:people/1", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=http://example.org/1", "idDoesNotExist"),
        (LIST, "noRecordsMatch"),
        *((f"{LIST}&set={spec}", "noRecordsMatch") for spec in ("nothing", "type:x", "type:dataset:x", "facility:x")),
        *((f"{LIST}&set={spec}", "noRecordsMatch") for spec in ("technique:x", "collection:x", "access:closed")),
        ("verb=ListRecords&resumptionToken=", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=nonsense", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=%01%FF", "badResumptionToken"),
        ("verb=ListSets&resumptionToken=a:b:c", "badResumptionToken"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_told_with_its_code(query, code):
    assert code_of(query) == code


def test_the_answer_repeats_arguments_only_where_the_protocol_says_so():
    body = checked(Client().get("/oai?verb=ListRecords&metadataPrefix=marc21&set=a:b"))
    request = etree.fromstring(body).find("{*}request")
    assert dict(request.attrib) == {"verb": "ListRecords", "metadataPrefix": "marc21", "set": "a:b"}
    body = checked(Client().get("/oai?verb=ListRecords&set=a:b"))
    assert not etree.fromstring(body).find("{*}request").attrib


@pytest.fixture
def token(settings) -> str:
    settings.OAI_PAGE_SIZE = 1
    factories.make_dataset()
    return token_of(ask(verb="ListRecords", metadataPrefix="oai_dc"))


def test_a_token_is_good_for_days_and_then_no_more(token, settings):
    settings.OAI_TOKEN_DAYS = 3
    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=-2)):
        assert not error_of(ask(verb="ListRecords", resumptionToken=token))
    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=2)):
        assert error_of(ask(verb="ListRecords", resumptionToken=token)) == "badResumptionToken"


def test_a_token_of_another_verb_is_refused(token):
    assert error_of(ask(verb="ListIdentifiers", resumptionToken=token)) == "badResumptionToken"
    assert error_of(ask(verb="ListSets", resumptionToken=token)) == "badResumptionToken"


def test_a_token_that_was_changed_or_signed_for_something_else_is_refused(token):
    content = ["ListRecords", {"metadataPrefix": "oai_dc"}, ["2026-01-01T00:00:00+00:00", 0, 1], 0, 1]
    forged = [signing.dumps(content), signing.dumps(content, key="another", salt="catalogue.oaipmh.tokens")]
    changed = [token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :] for place in range(0, len(token) - 1, 9)]
    for text in [*forged, *changed, token[:-1], f"{token}x"]:
        assert error_of(ask(verb="ListRecords", resumptionToken=text)) == "badResumptionToken"


def test_the_same_token_gives_the_same_page_again(token):
    first, second = (list(records_in(ask(verb="ListRecords", resumptionToken=token))) for _ in range(2))
    assert first == second


HOSTILE = st.text(st.characters(codec=None), max_size=40)


@profile(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.sampled_from(["verb", "set", "from", "identifier", "metadataPrefix", "x"]), HOSTILE))
def test_no_argument_whatever_is_a_failure_of_the_server(values, db):
    sent = {name: text.encode("utf-8", "replace").decode() for name, text in values.items()}
    assert error_of(checked(Client(raise_request_exception=True).get("/oai", sent)))


@pytest.mark.parametrize("prefix", ["oai_dc", "oai_datacite", "datacite", "dcat"])
def test_every_text_that_a_database_holds_can_be_harvested(prefix):
    titles = ["A\x01\x0b\x1f\x7f\ufffe\uffffB", "\u202eمرحبا\u202c עברית", "R&D <b>]]></b> \"'", "\U0001f52c 電子", " "]
    whole = factories.make_investigation(is_open=True, abstract="", title="\x02")
    for title in titles:
        factories.make_dataset(whole, title=title, description=title if title != " " else "")
    found = harvest(metadataPrefix=prefix)
    assert len(found) == 6
    told = b"".join(one.payload for one in found).decode()
    assert "مرحبا" in etree.fromstring(f"<a>{told}</a>").xpath("string()")


def test_a_record_of_ten_thousand_authors():
    whole = factories.make_investigation(is_open=True)
    person = factories.make_person()
    people = type(person).objects.bulk_create(
        [type(person)(given_name="Ada", family_name=f"Author & {number}") for number in range(10_000)]
    )
    TeamMember.objects.bulk_create(
        [TeamMember(investigation=whole, person=one, role="member", position=place) for place, one in enumerate(people)]
    )
    factories.make_dataset(whole)
    for prefix, tag in (("oai_dc", "creator"), ("oai_datacite", "creatorName")):
        for one in harvest(metadataPrefix=prefix):
            assert len(list(etree.fromstring(one.payload).iter(f"{{*}}{tag}"))) == 10_000
