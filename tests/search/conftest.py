"""Pages with the embedded engine behind them, over a small laboratory of nanowires and catalysts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache

from catalogue.models import Annotation, Dataset, Parameter, Technique, TechniqueAncestor, User
from search.engines import engine
from tests import factories
from tests.search.archive import built

SECRET = "zirconolite"


@dataclass
class Laboratory:
    """Three open datasets and one that is closed, in which alone the word SECRET stands; the closed one's leader."""

    wires: Dataset
    forest: Dataset
    catalyst: Dataset
    hidden: Dataset
    pi: User
    technique: Technique


def make_technique(label: str, *above: Technique) -> Technique:
    term = Technique.objects.create(iri=f"https://example.org/{label.replace(' ', '-')}", label=label, source="test")
    term.parents.set(above[:1])
    TechniqueAncestor.objects.bulk_create(TechniqueAncestor(technique=term, ancestor=one) for one in (term, *above))
    return term


def make_number(dataset: Dataset, name: str, text: str, unit: str, value_si: float, unit_si: str) -> None:
    Parameter.objects.create(
        dataset=dataset, name=name, source="instrument", kind="number", text=text, unit=unit, value=float(text),
        value_si=value_si, unit_si=unit_si,
    )  # fmt: skip


@pytest.fixture
def build_index(settings, tmp_path) -> Callable[[], Any]:
    """A function that builds the index of what the database holds, in a folder of this test."""
    settings.DATA_DIR = tmp_path / "site"
    settings.DATA_DIR.mkdir()

    def build() -> Any:
        cache.clear()
        return built(engine()).live()

    return build


@pytest.fixture
def laboratory(db, tmp_path, build_index) -> Laboratory:
    spectroscopy = make_technique("spectroscopy")
    xanes = make_technique("xanes", spectroscopy)
    microscopy = make_technique("scanning electron microscopy")
    pi = factories.make_user("regina")
    person = factories.make_person(pi, given_name="Ana", family_name="Novak")
    storage = factories.make_storage(tmp_path)
    scope = factories.make_instrument(name="Field emission microscope", short_name="fem")
    opened = factories.make_investigation(is_open=True, instrument=scope, title="Growth of zinc oxide", pi=pi)
    closed = factories.make_investigation(instrument=scope, title="Reserved for the journal", pi=pi)
    zinc = factories.make_sample(opened, name="ZnO-7", formula="ZnO")
    wires = factories.make_dataset(
        opened, title="Nanowires, overview", sample=zinc, description="Nanowires & <wires> on silicon",
        storage=storage, files={"wires.tif": b"II"}, acquired_at=datetime(2022, 3, 4, tzinfo=UTC),
    )  # fmt: skip
    forest = factories.make_dataset(
        opened, title="Nanowire forest", sample=zinc, acquired_at=datetime(2023, 5, 4, tzinfo=UTC)
    )
    catalyst = factories.make_dataset(
        factories.make_investigation(is_open=True, title="Catalysts at work"),
        title="Platinum catalyst", kind="processed", acquired_at=datetime(2024, 5, 4, tzinfo=UTC),
    )  # fmt: skip
    hidden = factories.make_dataset(
        closed, title="Slice 1", sample=factories.make_sample(closed, name=f"{SECRET} 4", formula="U"),
        storage=storage, files={f"{SECRET}.tif": b"II+"}, format_label=SECRET,
    )  # fmt: skip
    for dataset, technique in ((wires, microscopy), (forest, microscopy), (catalyst, xanes)):
        dataset.techniques.add(technique)
    make_number(wires, "accelerating_voltage", "5", "kV", 5e3, "V")
    make_number(forest, "accelerating_voltage", "10", "kV", 1e4, "V")
    make_number(wires, "pixel_size_x", "2", "nm", 2e-9, "m")
    make_number(hidden, "accelerating_voltage", "77", "kV", 7.7e4, "V")
    Annotation.objects.create(
        dataset=wires, datafile=wires.files.get(), kind="category", label="Nanowires", confidence=0.97, source="ai"
    )
    Annotation.objects.create(
        dataset=hidden, datafile=hidden.files.get(), kind="category", label=SECRET, confidence=0.9, source="ai"
    )
    assert person.pk
    build_index()
    return Laboratory(wires, forest, catalyst, hidden, pi, spectroscopy)


@pytest.fixture
def signed_in(client, laboratory):
    client.force_login(laboratory.pi, backend="django.contrib.auth.backends.ModelBackend")
    return client
