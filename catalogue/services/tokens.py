"""API tokens: made, looked up and revoked. Only the digest of a token is kept."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalogue.access import SCOPES, Principal, principal_of
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import ApiToken, Instrument, User

PREFIX = "fct_"
LONGEST_LIFE = timedelta(days=366)
USE_IS_NOTED_EVERY = timedelta(minutes=5)


def _digest(token: str) -> str:
    """SHA-256 is right here: a token has 256 bits of entropy, so that a slow hash adds nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_token(
    *, actor: Principal, owner: User, name: str, scopes: Collection[str], lifetime: timedelta
) -> tuple[ApiToken, str]:
    """Make a token for `owner`; the second value is the token itself, to be shown once.

    Persons make their own; administrators make those of instrument accounts. A token cannot make tokens.
    """
    if actor.scopes is not None or not (actor.user_id == owner.pk or (actor.is_administrator and owner.instrument_id)):
        raise NotAllowed("Only the owner of an account, logged in on the site, can make tokens for it.")
    if unknown := set(scopes) - set(SCOPES):
        raise InvalidInput(
            f"Unknown scopes: {', '.join(sorted(unknown))}.", fields={"scopes": ["Choose from the list."]}
        )
    if not scopes or not name.strip():
        raise InvalidInput("A token needs a name and at least one scope.", fields={"name": ["Required with a scope."]})
    if not timedelta(0) < lifetime <= LONGEST_LIFE:
        raise InvalidInput("A token lives at most a year.", fields={"lifetime": ["Choose 1 to 366 days."]})
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=owner,
            name=name.strip()[:100],
            prefix=text[:10],
            digest=_digest(text),
            scopes=sorted(scopes),
            expires_at=timezone.now() + lifetime,
        )
        write_audit(
            actor=actor, action="create-token", record=token, after={"name": token.name, "scopes": token.scopes}
        )
    return token, text


def find_or_create_instrument_account(*, actor: Principal, instrument: Instrument) -> User:
    """The account by which `instrument` registers its data: no password, no login on the site, tokens only."""
    if not actor.is_administrator or not actor.has_scope("register"):
        raise NotAllowed("Only administrators make accounts of instruments.")
    username = f"instrument-{instrument.short_name}"
    with transaction.atomic():
        account, is_new = User.objects.get_or_create(username=username, defaults={"instrument": instrument})
        if account.instrument_id != instrument.pk:
            raise Conflict(f"The account {username} exists and is not the instrument's.")
        if is_new:
            account.set_unusable_password()
            account.save(update_fields=["password"])
            write_audit(actor=actor, action="create-account", record=account, after={"instrument": str(instrument)})
    return account


def revoke_token(*, actor: Principal, token_id: int) -> None:
    tokens = ApiToken.objects.filter(pk=token_id, revoked_at__isnull=True)
    if not actor.is_administrator:
        tokens = tokens.filter(user_id=actor.user_id)
    token = tokens.first()
    if token is None:
        raise NotFound("There is no such token, or it was revoked already.")
    with transaction.atomic():
        tokens.update(revoked_at=timezone.now())
        write_audit(actor=actor, action="revoke-token", record=token, before={"name": token.name})


def principal_of_token(text: str) -> tuple[User, Principal] | None:
    """The account and principal of a token that is known, unexpired and not revoked, else None."""
    now = timezone.now()
    token = ApiToken.objects.select_related("user").filter(digest=_digest(text), revoked_at__isnull=True).first()
    if token is None or token.expires_at <= now or not token.user.is_active:
        return None
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token.user, principal_of(token.user, scopes=frozenset(token.scopes))
