"""What every page's template may know of the site."""

from django.conf import settings
from django.http import HttpRequest

from catalogue.services.selections import COUNT_KEY


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "is_demo": settings.IS_DEMO,
        "contact_email": settings.ADMINISTRATOR_EMAIL,
        "selection_count": request.session.get(COUNT_KEY, 0) if hasattr(request, "session") else 0,
        "principal": getattr(request, "principal", None),
    }
