"""Metadata values: those of the instrument and those of people stand beside each other."""

from types import SimpleNamespace

import pytest

from catalogue.access import principal_of
from catalogue.entries import ParameterEntry
from catalogue.errors import InvalidInput, NotAllowed, StaleVersion
from catalogue.masking import parameter_values
from catalogue.models import AuditEntry, Parameter
from catalogue.services.parameters import correct_parameter, record_parameters
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
VOLTAGE = ParameterEntry(name="acceleration_voltage", value=15, unit="kV")


@pytest.fixture
def lab() -> SimpleNamespace:
    pi = factories.make_user()
    investigation = factories.make_investigation(pi=pi)
    account = factories.make_instrument_account(investigation.instrument)
    dataset = factories.make_dataset(investigation, registered_by=account)
    machine = principal_of(account)
    record_parameters(actor=machine, dataset=dataset, parameters=[VOLTAGE], source="instrument")
    dataset.refresh_from_db()
    return SimpleNamespace(dataset=dataset, machine=machine, pi=principal_of(pi))


def correction(value: float) -> ParameterEntry:
    return ParameterEntry(name="acceleration_voltage", value=value, unit="kV", source="person")


def test_a_correction_stands_beside_the_instruments_value(lab: SimpleNamespace) -> None:
    correct_parameter(actor=lab.pi, dataset=lab.dataset, entry=correction(14))
    correct_parameter(actor=lab.pi, dataset=lab.dataset, entry=correction(13))
    values = {(row.source, row.value, row.is_corrected) for row in parameter_values(list(Parameter.objects.all()))}
    assert values == {("instrument", 15, True), ("person", 13, False)}
    entries = AuditEntry.objects.filter(action="correct-parameter").order_by("id")
    assert [(entry.before["value"], entry.after["value"]) for entry in entries] == [(None, "14"), ("14", "13")]


def test_every_change_of_values_makes_a_new_version(lab: SimpleNamespace) -> None:
    version = lab.dataset.version
    correct_parameter(actor=lab.pi, dataset=lab.dataset, entry=correction(14))
    lab.dataset.refresh_from_db()
    assert lab.dataset.version == version + 1
    with pytest.raises(StaleVersion):
        record_parameters(
            actor=lab.machine, dataset=lab.dataset, parameters=[], source="instrument", expected_version=version
        )
    assert Parameter.objects.count() == 2


def test_the_values_of_one_source_are_replaced_as_a_whole(lab: SimpleNamespace) -> None:
    correct_parameter(actor=lab.pi, dataset=lab.dataset, entry=correction(14))
    dwell = ParameterEntry(name="dwell_time", value=2, unit="µs")
    record_parameters(actor=lab.machine, dataset=lab.dataset, parameters=[dwell], source="instrument")
    assert set(Parameter.objects.values_list("name", "source")) == {
        ("dwell_time", "instrument"),
        ("acceleration_voltage", "person"),
    }


def test_people_do_not_speak_for_the_instrument_nor_the_instrument_for_people(lab: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed):
        record_parameters(actor=lab.pi, dataset=lab.dataset, parameters=[VOLTAGE], source="instrument")
    with pytest.raises(NotAllowed):
        correct_parameter(actor=lab.machine, dataset=lab.dataset, entry=correction(14))
    with pytest.raises(InvalidInput):
        correct_parameter(actor=lab.pi, dataset=lab.dataset, entry=VOLTAGE)
    with pytest.raises(InvalidInput):
        record_parameters(actor=lab.machine, dataset=lab.dataset, parameters=[correction(1)], source="instrument")


def test_a_stranger_corrects_nothing(lab: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed):
        correct_parameter(actor=principal_of(factories.make_user()), dataset=lab.dataset, entry=correction(14))
    assert Parameter.objects.count() == 1


@pytest.mark.parametrize("values", [{"group": "a\x00"}, {"unit": "\x00"}, {"value": ("a", "b\x00")}, {"value": "\x00"}])
def test_a_nul_character_is_refused_wherever_it_stands(lab: SimpleNamespace, values: dict) -> None:
    entry = ParameterEntry(**({"name": "note", "value": "x", "source": "person"} | values))
    with pytest.raises(InvalidInput):
        correct_parameter(actor=lab.pi, dataset=lab.dataset, entry=entry)
