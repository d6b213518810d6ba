"""The site of the tests of pages, and tokens for programs."""

from datetime import timedelta

import pytest
from django.test import Client

from catalogue.access import principal_of
from catalogue.models import User
from catalogue.services.tokens import create_token
from tests.classifier.site.conftest import classify, folder, release

__all__ = ["classify", "folder", "release"]


@pytest.fixture
def program():
    """A function that gives a client with a token of `user`."""

    def program(user: User, *scopes: str) -> Client:
        wanted = set(scopes) or {"read", "register"}
        actor = principal_of(user)
        _, text = create_token(actor=actor, owner=user, name="a program", scopes=wanted, lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {text}"})

    return program
