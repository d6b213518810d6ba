"""The words of mails about extensions and openings. Each is queued within the transaction of what it tells of."""

from collections.abc import Sequence
from datetime import datetime

from catalogue.models import ExtensionRequest, Investigation
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import TeamRole
from catalogue.services.authority import accounts_of_curators, accounts_of_team
from catalogue.services.mails import absolute_url, queue_mails

MOST_TITLES = 20


def tell_curators_of_request(request: ExtensionRequest) -> None:
    investigation = request.investigation
    held = investigation.held_until or investigation.embargo_until
    queue_mails(
        user_ids=accounts_of_curators(),
        subject=f"A longer embargo is asked for: {investigation.title}",
        body=(
            f"The principal investigator of “{investigation.title}” ({investigation.visit_id}) asks to keep its data "
            f"closed until {_in_words(request.until)}.\n\nReason: {request.reason}\n\nUndecided, the data open on "
            f"{_in_words(held)}.\n\n{absolute_url(f'/curate/extensions/{request.uid}')}\n"
        ),
    )


def tell_of_decision(request: ExtensionRequest) -> None:
    """To who asked and the principal investigators: what was decided, why, and when the data open."""
    investigation = request.investigation
    told = {
        RequestState.GRANTED: f"granted: the data stay closed until {_in_words(request.granted_until)}",
        RequestState.REFUSED: "refused",
        RequestState.LAPSED: "not decided in time",
    }
    queue_mails(
        user_ids=[request.requested_by_id, *accounts_of_team(investigation, roles=(TeamRole.PI,))],
        subject=f"Your request for a longer embargo: {investigation.title}",
        body=(
            f"Your request to keep the data of “{investigation.title}” ({investigation.visit_id}) closed until "
            f"{_in_words(request.until)} was {told[RequestState(request.state)]}.\n"
            + (f"\nReason: {request.decision_reason}\n" if request.decision_reason else "")
            + f"\n{absolute_url(f'/investigations/{investigation.uid}/extension')}\n"
        ),
    )


def tell_of_opening(investigation: Investigation) -> None:
    queue_mails(
        user_ids=accounts_of_team(investigation),
        subject=f"Your data are open: {investigation.title}",
        body=(
            f"The data of “{investigation.title}” ({investigation.visit_id}) are open to everyone.\n\n"
            f"{absolute_url(f'/investigations/{investigation.uid}')}\n"
        ),
    )


def tell_of_datasets(investigation: Investigation, titles: Sequence[str]) -> None:
    named = "".join(f"- {title}\n" for title in titles[:MOST_TITLES])
    more = f"- and {len(titles) - MOST_TITLES} more\n" if len(titles) > MOST_TITLES else ""
    queue_mails(
        user_ids=accounts_of_team(investigation),
        subject=f"Some of your data are open: {investigation.title}",
        body=(
            f"These datasets of “{investigation.title}” ({investigation.visit_id}) are open to everyone:\n\n{named}{more}\n"
            f"{absolute_url(f'/investigations/{investigation.uid}')}\n"
        ),
    )


def _in_words(moment: datetime | None) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC" if moment else ""
