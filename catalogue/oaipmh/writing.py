"""Answers in the XML of the protocol, in pieces, so that no answer is held as a whole. Nothing is read here.

Source: http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from itertools import islice

from django.conf import settings

from catalogue.interop.description import Site
from catalogue.interop.dublin_core import NAMESPACE, SCHEMA
from catalogue.interop.xml_text import elements, escaped, quoted
from catalogue.oaipmh import tokens
from catalogue.oaipmh.answers import Answer, Resumption
from catalogue.oaipmh.formats import FORMATS
from catalogue.oaipmh.items import Item
from catalogue.oaipmh.protocol import ProtocolError, Question, datestamp
from catalogue.oaipmh.repository import base_url, identifier_of, namespace
from catalogue.oaipmh.set_list import SetEntry

# Records that are sent with one call of the system.
_AT_ONCE = 20
_PROTOCOL = "http://www.openarchives.org/OAI/2.0/"
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_START = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<OAI-PMH xmlns="{_PROTOCOL}" {_XSI} xsi:schemaLocation="{_PROTOCOL} {_PROTOCOL}OAI-PMH.xsd">'
)
_DUBLIN_CORE = (
    f'<oai_dc:dc xmlns:oai_dc="{NAMESPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/" {_XSI}'
    f' xsi:schemaLocation="{NAMESPACE} {SCHEMA}">'
)
_IDENTIFIER = f"{_PROTOCOL}oai-identifier"


def written(
    question: Question, answer: Answer, site: Site, *, responded_at: datetime, now: datetime
) -> Iterator[bytes]:
    """The whole answer. `responded_at` is its responseDate."""
    yield f"{_opening(question, responded_at)}<{question.verb}>".encode()
    pieces = _body(answer, site)
    while several := list(islice(pieces, _AT_ONCE)):
        yield b"".join(several)
    more = _resumption(answer.resumption, now) if answer.resumption else ""
    yield f"{more}</{question.verb}></OAI-PMH>\n".encode()


def written_error(question: Question | None, error: ProtocolError, *, now: datetime) -> bytes:
    told = None if error.hides_arguments else question
    text = f'<error code="{error.code}">{escaped(error.message)}</error>'
    return f"{_opening(told, now)}{text}</OAI-PMH>\n".encode()


def _opening(question: Question | None, responded_at: datetime) -> str:
    arguments = {"verb": question.verb, **question.arguments} if question else {}
    told = "".join(f' {name}="{quoted(value)}"' for name, value in arguments.items())
    return f"{_START}<responseDate>{datestamp(responded_at)}</responseDate><request{told}>{escaped(base_url())}</request>\n"


def _body(answer: Answer, site: Site) -> Iterator[bytes]:
    verb, start = answer.question.verb, identifier_of("")
    if verb == "Identify":
        yield _identity(answer).encode()
    elif verb == "ListMetadataFormats":
        yield _formats().encode()
    elif verb == "ListSets":
        for entry in answer.sets:
            yield _set(entry).encode()
    elif verb == "ListIdentifiers":
        for item in answer.items:
            yield _header(item, start)
    else:
        write = FORMATS[answer.question.get("metadataPrefix")].write
        for item in answer.items:
            payload = b"<metadata>%b</metadata>" % write(item.record, site) if item.record else b""
            yield b"<record>%b%b</record>\n" % (_header(item, start), payload)


def _header(item: Item, start: str) -> bytes:
    """`start` is that of all identifiers."""
    status = "" if item.record else ' status="deleted"'
    identifier = f"<identifier>{start}{item.local_name}</identifier>"
    stamp = f"<datestamp>{datestamp(item.stamp)}</datestamp>"
    return f"<header{status}>{identifier}{stamp}{_set_specs(item.set_specs)}</header>".encode()


@lru_cache(maxsize=1000)
def _set_specs(specs: tuple[str, ...]) -> str:
    return "".join([f"<setSpec>{spec}</setSpec>" for spec in specs])


def _identity(answer: Answer) -> str:
    assert answer.earliest is not None
    sample = identifier_of("datasets/01890a5d-ac96-774b-bcce-b302099a8057")
    return (
        f"<repositoryName>{escaped(settings.OAI_REPOSITORY_NAME)}</repositoryName>"
        f"<baseURL>{escaped(base_url())}</baseURL><protocolVersion>2.0</protocolVersion>"
        f"<adminEmail>{escaped(settings.OAI_ADMIN_EMAIL)}</adminEmail>"
        f"<earliestDatestamp>{datestamp(answer.earliest)}</earliestDatestamp>"
        "<deletedRecord>persistent</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity>"
        "<compression>gzip</compression>"
        f'<description><oai-identifier xmlns="{_IDENTIFIER}" {_XSI} xsi:schemaLocation="{_IDENTIFIER} {_IDENTIFIER}.xsd">'
        f"<scheme>oai</scheme><repositoryIdentifier>{namespace()}</repositoryIdentifier>"
        f"<delimiter>:</delimiter><sampleIdentifier>{sample}</sampleIdentifier></oai-identifier></description>"
    )


def _formats() -> str:
    return "".join(
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>{one.schema}</schema>"
        f"<metadataNamespace>{one.namespace}</metadataNamespace></metadataFormat>"
        for prefix, one in FORMATS.items()
    )


def _set(entry: SetEntry) -> str:
    told = elements("dc:title", (entry.name,)) + elements("dc:description", (entry.description,))
    return (
        f"<set><setSpec>{entry.spec}</setSpec><setName>{escaped(entry.name)}</setName>"
        f"<setDescription>{_DUBLIN_CORE}{told}</oai_dc:dc></setDescription></set>\n"
    )


def _resumption(resumption: Resumption, now: datetime) -> str:
    ends = f' expirationDate="{datestamp(tokens.expiry(now))}"' if resumption.token else ""
    return (
        f'<resumptionToken{ends} completeListSize="{resumption.size}" cursor="{resumption.cursor}">'
        f"{resumption.token}</resumptionToken>"
    )
