"""What administrators type into forms is checked before it is kept."""

import pytest
from django.core.exceptions import ValidationError

from catalogue.models import Facility, Organisation, Person


@pytest.mark.parametrize(
    "orcid", ["0000-0002-1825-0098", "0000000218250097", "not an orcid", "https://orcid.org/0000-0002-1825-0097"]
)
def test_an_orcid_with_a_wrong_check_digit_or_form_is_refused(orcid):
    with pytest.raises(ValidationError):
        Person(family_name="Carberry", orcid=orcid).clean_fields()
    Person(family_name="Carberry", orcid="0000-0002-1825-0097").clean_fields()


def test_a_ror_id_must_be_a_real_one():
    with pytest.raises(ValidationError):
        Organisation(name="Somewhere", ror="https://ror.org/05dxps056").clean_fields()
    Organisation(name="Somewhere", ror="https://ror.org/05dxps055").clean_fields()


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_a_time_zone_must_exist(name):
    with pytest.raises(ValidationError):
        Facility(name="A", short_name="A", time_zone=name).clean_fields(exclude=["default_licence"])
