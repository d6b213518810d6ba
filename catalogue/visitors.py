"""Who asks over HTTP outside the API: their principal, by session or by token, and their network address."""

from django.conf import settings
from django.http import HttpRequest

from catalogue.access import Principal
from catalogue.errors import NotAllowed
from catalogue.services.tokens import principal_of_token


def asker_of(request: HttpRequest) -> Principal:
    """The principal of a bearer token where one was sent, else that of the session. A wrong token is refused outright."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return request.principal
    found = principal_of_token(text.strip())
    if found is None:
        raise NotAllowed(
            "This token is unknown, expired or revoked. Make a new one on your tokens page.", code="token-refused"
        )
    return found[1]


def address_of(request: HttpRequest) -> str:
    """The address from which the request came to the outermost of the site's own proxies (`PROXY_COUNT` of them).

    What stands further left in `X-Forwarded-For` was written by the visitor and proves nothing.
    """
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if 0 < settings.PROXY_COUNT <= len(forwarded):
        return forwarded[-settings.PROXY_COUNT]
    return request.META.get("REMOTE_ADDR", "")
