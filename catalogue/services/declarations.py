"""What an administrator declares before data can be registered: facilities, instruments and accounts.

Each function returns what exists under the same name unchanged, so that setting up a site again does no harm.
"""

from typing import Any, TypeVar

from django.db import models, transaction

from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, NotAllowed
from catalogue.models import Facility, Instrument, Person, Technique, User

Row = TypeVar("Row", bound=models.Model)


def declare_facility(*, actor: Principal, short_name: str, name: str, **values: Any) -> Facility:
    """`values` are further columns of Facility, such as `time_zone` and `embargo_months`."""
    _authorise(actor)
    existing = Facility.objects.filter(short_name=short_name).first()
    return existing or _create(actor, Facility(short_name=short_name, name=name, **values))


def declare_instrument(
    *, actor: Principal, facility: Facility, short_name: str, name: str, techniques: tuple[str, ...] = (), **values: Any
) -> Instrument:
    """`techniques` are IRIs; `values` are further columns of Instrument. The short name is unique in the whole site."""
    _authorise(actor)
    existing = Instrument.objects.filter(short_name=short_name).first()
    if existing is not None:
        if existing.facility_id != facility.pk:
            raise Conflict(f"The short name {short_name!r} is taken by an instrument of another facility.")
        return existing
    with transaction.atomic():
        instrument = _create(actor, Instrument(facility=facility, short_name=short_name, name=name, **values))
        instrument.techniques.set(Technique.objects.filter(iri__in=techniques))
    return instrument


def declare_account(
    *,
    actor: Principal,
    username: str,
    given_name: str = "",
    family_name: str = "",
    orcid: str | None = None,
    is_curator: bool = False,
    is_administrator: bool = False,
    instrument: Instrument | None = None,
) -> User:
    """An account without a password: of a person, who logs in otherwise, or of an instrument, which has tokens only."""
    _authorise(actor)
    existing = User.objects.filter(username=username).first()
    if existing is not None:
        return existing
    user = User(
        username=username,
        first_name=given_name,
        last_name=family_name,
        is_curator=is_curator,
        is_superuser=is_administrator,
        is_staff=is_administrator,
        instrument=instrument,
    )
    user.set_unusable_password()
    with transaction.atomic():
        _create(actor, user)
        if family_name:
            Person.objects.create(given_name=given_name, family_name=family_name, orcid=orcid, user=user)
    return user


def _authorise(actor: Principal) -> None:
    if not actor.is_administrator:
        raise NotAllowed("Only administrators declare facilities, instruments and accounts.")


def _create(actor: Principal, row: Row) -> Row:
    with transaction.atomic():
        row.save(force_insert=True)
        write_audit(actor=actor, action="create", record=row, after={"name": str(row)})
    return row
