"""Bearer tokens. A wrong token is refused outright, never treated as a visitor."""

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from catalogue.models import User
from catalogue.services.tokens import principal_of_token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer fct_…`; sets the request's principal to that of the token, with its scopes."""

    def authenticate(self, request: HttpRequest) -> tuple[User, str] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = principal_of_token(text.strip())
        if found is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked. Make a new one on your tokens page.")
        user, principal = found
        request._request.principal = principal
        return user, text

    def authenticate_header(self, request: HttpRequest) -> str:
        return 'Bearer realm="api"'
