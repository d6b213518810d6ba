"""Share links of the world, and browsers of those who opened them."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from catalogue.access import principal_of
from catalogue.models import ShareLink, User
from catalogue.services.share_links import make_share_link


def share(record: Any, maker: User, *, hides_people: bool = False, allows_files: bool = True) -> tuple[ShareLink, str]:
    """A link to `record` for ten days, and the address that opens it."""
    link, token = make_share_link(
        actor=principal_of(maker),
        record=record,
        expires_at=timezone.now() + timedelta(days=10),
        label="for the reviewers",
        hides_people=hides_people,
        allows_files=allows_files,
    )
    return link, f"/share/{token}"


def reader_of(address: str) -> Client:
    """The browser of a visitor who opened a share link."""
    client = Client(raise_request_exception=False)
    assert client.get(address).status_code == 302
    return client
