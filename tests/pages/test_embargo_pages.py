"""The pages of releases, longer embargoes and withdrawals in a real browser: accessible and readable at both widths."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from catalogue.access import principal_of
from catalogue.models import Instrument, Investigation
from catalogue.services.extensions import refuse_extension, request_extension
from catalogue.services.withdrawals import withdraw_investigation
from tests import factories
from tests.pages.conftest import Catalogue
from tests.pages.test_every_page import WIDTHS, faults_of

pytestmark = pytest.mark.browser
DAY = timedelta(days=1)


@pytest.fixture
def embargo(catalogue: Catalogue) -> SimpleNamespace:
    """A session that ends soon with raw and processed data, one with a request that waits, and a withdrawn one."""
    now = timezone.now()
    pi, curator = principal_of(catalogue.pi), principal_of(catalogue.curator)
    soon = catalogue.closed.investigation
    Investigation.objects.filter(pk=soon.pk).update(embargo_until=now + 40 * DAY, dataset_count=4, file_count=4)
    soon.refresh_from_db()
    for number in range(2, 4):
        factories.make_dataset(soon, title=f"Slice {number:03}", file_count=1, size=12_582_912)
    factories.make_dataset(soon, title="Volume from the slices", kind="processed", size=44_040_192).derived_from.add(
        catalogue.closed
    )
    asked = factories.make_investigation(
        pi=catalogue.pi, title="Grain growth in magnetite films", embargo_until=now + 20 * DAY
    )
    until = asked.embargo_until + 300 * DAY
    reason = "The doctoral thesis that rests on these data is handed in next summer."
    first = request_extension(actor=pi, investigation=asked, until=until, reason=reason)
    refuse_extension(actor=curator, request=first, reason="Say which data the thesis needs.")
    reason = "The thesis needs the series of 4 May, and its examiner asked for more images."
    waiting = request_extension(actor=pi, investigation=asked, until=until, reason=reason)
    gone = factories.make_investigation(pi=catalogue.pi, is_open=True, title="Wrongly labelled films")
    withdraw_investigation(actor=curator, investigation=gone, reason="The samples were mixed up.")
    Instrument.objects.filter(pk=asked.instrument_id).update(embargo_months=12, retention_years=5)
    return SimpleNamespace(soon=soon, asked=asked, waiting=waiting, gone=gone, dataset=catalogue.closed)


def paths(embargo: SimpleNamespace, who: str) -> list[str]:
    soon, asked = f"/investigations/{embargo.soon.uid}", f"/investigations/{embargo.asked.uid}"
    return {
        "visitor": [soon, f"/investigations/{embargo.gone.uid}", "/policy"],
        "pi": [
            "/me",
            soon,
            f"{soon}/release",
            f"{soon}/release?dataset={embargo.dataset.uid}",
            f"{soon}/release/choose",
            f"{soon}/extension",
            f"{asked}/extension",
        ],
        "curator": [
            "/curate",
            asked,
            f"/curate/extensions/{embargo.waiting.uid}",
            f"{soon}/withdraw",
            f"/datasets/{embargo.dataset.uid}/withdraw",
        ],
    }[who]


@pytest.mark.parametrize("who", ["visitor", "pi", "curator"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_of_an_embargo_are_accessible(catalogue, embargo, open_page, who, width):
    user = None if who == "visitor" else getattr(catalogue, who)
    faults = {}
    for path in paths(embargo, who):
        page = open_page(path, user=user, width=width)
        if found := faults_of(page):
            faults[path] = found
    assert not faults


def test_a_release_without_script_takes_two_steps(catalogue, embargo, open_page):
    page = open_page(f"/investigations/{embargo.soon.uid}/release/choose", user=catalogue.pi, script=False)
    page.get_by_role("checkbox", name="Slice 001").check()
    page.get_by_role("button", name="See what would become public").click()
    assert page.get_by_label("Volume from the slices").is_checked()
    page.get_by_label("Volume from the slices").uncheck()
    page.get_by_role("checkbox", name="I have read").check()
    page.get_by_role("button", name="Open them to everyone").click()
    assert page.get_by_text("1 dataset is open to everyone now.").is_visible()
