"""What the status page tells of DOIs."""

import pytest
from django.utils import timezone

from doi.models import Identifier
from doi.names import doi_name
from doi.selectors import measure_counts
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def identifiers() -> None:
    """Two findable DOIs and a reserved one."""
    for state in ("findable", "findable", "draft"):
        investigation = factories.make_investigation()
        Identifier.objects.create(
            investigation=investigation,
            doi=doi_name("10.5072", investigation.uid),
            state=state,
            wanted=state,
            accepted_at=timezone.now(),
        )
    measure_counts()


def shown_dois(client) -> dict[str, int]:
    return {figure["label"]: figure["value"] for figure in client.get("/status").context["dois"]}


def test_dois_are_counted_by_state(client, identifiers):
    assert shown_dois(client) == {"findable": 2, "hidden": 0, "reserved": 1, "waiting for DataCite": 0}


def test_where_records_are_hidden_the_number_of_reserved_dois_is_not_told(client, identifiers):
    factories.set_embargo_metadata("none")
    assert shown_dois(client) == {"findable": 2}
