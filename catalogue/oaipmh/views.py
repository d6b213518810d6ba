"""The address `/oai`: a question by GET or POST, the answer in XML, compressed for who accepts that."""

from collections.abc import Iterable
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import compress_sequence
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django_ratelimit.core import get_usage

from catalogue.descriptions import this_site
from catalogue.errors import Unavailable
from catalogue.oaipmh.answers import answer, answered_at
from catalogue.oaipmh.protocol import ProtocolError, Question, read_question
from catalogue.oaipmh.writing import written, written_error

Response = TypeVar("Response", bound=HttpResponseBase)
_XML = "text/xml; charset=utf-8"


# Harvesters have no session, so that there is nothing that a forged request could use.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def oai_page(request: HttpRequest) -> HttpResponseBase:
    usage = get_usage(request, group="oai", key="ip", rate=settings.RATE_OAI or None, increment=True)
    if usage and usage["should_limit"]:
        # As the protocol has it (section 3.1.2.2): status 503 and the time to come again.
        raise Unavailable("Too many requests. Come again later.", wait=max(1, usage["time_left"]))
    now = timezone.now()
    question: Question | None = None
    try:
        question = read_question(dict((request.POST if request.method == "POST" else request.GET).lists()))
        found = answer(question, now=now)
    except ProtocolError as error:
        return _sent(HttpResponse(written_error(question, error, now=now), content_type=_XML))
    pieces = written(question, found, this_site(), responded_at=answered_at(question, now), now=now)
    return _sent(_streamed(request, pieces))


def _streamed(request: HttpRequest, pieces: Iterable[bytes]) -> StreamingHttpResponse:
    is_compressed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = StreamingHttpResponse(compress_sequence(pieces) if is_compressed else pieces, content_type=_XML)
    if is_compressed:
        response["Content-Encoding"] = "gzip"
    return response


def _sent(response: Response) -> Response:
    """Every answer is of its moment: none is kept."""
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept-Encoding"
    return response
