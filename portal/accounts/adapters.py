"""How django-allauth meets our accounts: persons are linked by verified ORCID, instruments never log in on the web."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.stages import EmailVerificationStage
from allauth.socialaccount.models import SocialAccount
from django.http import HttpRequest, HttpResponse

from catalogue.errors import Conflict
from catalogue.models import User
from catalogue.services.people import link_verified_orcid
from portal.errors import answer

logger = logging.getLogger(__name__)

ORCID = "orcid"


class AddressVerificationStage(EmailVerificationStage):
    """An account without an e-mail address, such as `createsuperuser` makes it, has none to verify."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if not user.email and not user.emailaddress_set.exists():
            return None, True
        return super().handle()


class AccountAdapter(DefaultAccountAdapter):
    def get_login_stages(self) -> list[str]:
        ours = f"{__name__}.{AddressVerificationStage.__name__}"
        return [ours if path.endswith(".EmailVerificationStage") else path for path in super().get_login_stages()]

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Every way to log in passes here: password, ORCID, OpenID Connect, code and passkey."""
        if user.instrument_id is not None:
            detail = "This is the account of an instrument. It works by token only; log in with an account of your own."
            return answer(request, status=403, code="not-allowed", detail=detail)
        return super().pre_login(request, user, **kwargs)


def link_account(account: SocialAccount) -> None:
    """Link the person of an ORCID account. What cannot be linked is logged, and the login goes on."""
    if account.provider != ORCID:
        return
    try:
        link_verified_orcid(user=account.user, orcid=account.uid)
    except (Conflict, ValueError) as error:
        logger.warning("account %s is not linked to its ORCID iD: %s", account.user_id, error)


def on_login(request: HttpRequest, user: User, sociallogin: Any = None, **_news: Any) -> None:
    if sociallogin is not None:
        link_account(sociallogin.account)


def on_connection(request: HttpRequest, sociallogin: Any, **_news: Any) -> None:
    link_account(sociallogin.account)
