"""One-time login links of a demonstration site: signed, expiring, void after use. Any other site has none of this."""

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalogue.errors import NotAllowed, NotFound
from catalogue.models import User

SALT = "faircat.login-link"
LIFETIME_SECONDS = 12 * 3600
BACKEND = "django.contrib.auth.backends.ModelBackend"


def login_link(user: User) -> str:
    """The address that logs `user` in once. It is void after any login of this user, by this link or otherwise."""
    _require_demonstration()
    if not user.is_active or user.instrument_id is not None:
        raise NotAllowed("Accounts of instruments and switched-off accounts do not log in on the site.")
    token = signing.dumps({"user": user.pk, "last_login": _stamp(user)}, salt=SALT)
    return settings.SITE_URL + reverse("login-link", args=[token])


@require_safe
@never_cache
def use_login_link(request: HttpRequest, token: str) -> HttpResponse:
    _require_demonstration()
    login(request, _take(token), backend=BACKEND)
    return redirect(settings.LOGIN_REDIRECT_URL)


def _take(token: str) -> User:
    """The user of a valid link, which is void from here on: of two that come at once, one wins."""
    void = NotFound(
        "This login link was used already, or is too old. `make run` and `manage.py login_link` make new ones."
    )
    try:
        claims = signing.loads(token, salt=SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature:
        raise void from None
    user = User.objects.filter(pk=claims["user"], is_active=True, instrument__isnull=True).first()
    if user is None or _stamp(user) != claims["last_login"]:
        raise void
    if not User.objects.filter(pk=user.pk, last_login=user.last_login).update(last_login=timezone.now()):
        raise void
    user.refresh_from_db()
    return user


def _stamp(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""


def _require_demonstration() -> None:
    if not settings.IS_DEMO:
        raise NotFound("There is nothing at this address, or nothing that you may see.")
