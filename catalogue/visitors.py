"""Who asks over HTTP: their principal, by session, share links or token, and their network address."""

from dataclasses import replace

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

from catalogue.access import Principal
from catalogue.errors import NotAllowed
from catalogue.services.tokens import principal_of_token
from catalogue.sharing import people_behind, valid_links

# In the session: the primary keys of the share links that were opened in it.
SHARE_LINKS = "share_links"
MOST_SHARE_LINKS = 20


def with_share_links(principal: Principal, session: SessionBase) -> Principal:
    """`principal`, who also opened the share links of the session, as far as they are valid at this moment.

    While one of them hides people the principal only reads: whoever saw names left out must not write them back so.
    """
    opened = session.get(SHARE_LINKS)
    if not opened:
        return principal
    valid = valid_links(opened, now=timezone.now())
    links = dict(valid.order_by().values_list("pk", "hides_people"))
    principal = replace(principal, share_link_ids=tuple(sorted(links)))
    if not any(links.values()):
        return principal
    scopes = principal.scopes if principal.scopes is not None else frozenset({"read"})
    return replace(principal, hides_people=True, hidden_people=people_behind(valid), scopes=scopes)


def open_share_link(session: SessionBase, link_id: int) -> None:
    """Remember in the session that a share link was opened; of more than twenty the oldest is forgotten."""
    kept = [one for one in session.get(SHARE_LINKS, []) if one != link_id]
    session[SHARE_LINKS] = [*kept, link_id][-MOST_SHARE_LINKS:]


def leave_share_links(session: SessionBase) -> None:
    session.pop(SHARE_LINKS, None)


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
