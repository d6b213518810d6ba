"""What the demonstration pretends: facilities, instruments, people, investigations and the datasets taken there.

Plain data. Names mean "example" in many languages; ORCID iDs have valid check digits but, except for the public test
record of Josiah Carberry, lie outside of the blocks that ORCID gives out. Days are counted back from the day of the
demo, so that some investigations are always past their embargo (36 months) and some under it.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from catalogue.entries import InvestigationEntry, PersonEntry, SampleEntry


@dataclass(frozen=True)
class DemoFacility:
    short_name: str
    name: str
    time_zone: str
    description: str


@dataclass(frozen=True)
class DemoInstrument:
    """PIDINST-like description; techniques are keys of `TECHNIQUE_KEYS`."""

    short_name: str
    facility: str
    name: str
    manufacturer: str
    model: str
    instrument_type: str
    measured_variables: tuple[str, ...]
    techniques: tuple[str, ...]
    description: str
    commissioned_on: date


@dataclass(frozen=True)
class DemoInvestigation:
    """One visit; `days_ago` is its first day. A released one is open although its embargo has not ended."""

    visit_id: str
    instrument: str
    days_ago: int
    days: int
    title: str
    abstract: str
    proposal: str
    proposal_title: str
    team: tuple[PersonEntry, ...]
    samples: tuple[SampleEntry, ...]
    is_released_early: bool = False

    def started_at(self, today: date) -> datetime:
        return datetime.combine(today - timedelta(days=self.days_ago), time(8), tzinfo=UTC)

    def entry(self, today: date) -> InvestigationEntry:
        """The investigation as the registration service takes it."""
        return InvestigationEntry(
            instrument=self.instrument,
            visit_id=self.visit_id,
            title=self.title,
            started_at=self.started_at(today),
            ended_at=self.started_at(today) + timedelta(days=self.days - 1, hours=10),
            abstract=f"{self.abstract} {SYNTHETIC_NOTE}",
            proposal=self.proposal,
            proposal_title=self.proposal_title,
            team=self.team,
        )


@dataclass(frozen=True)
class DemoDataset:
    """One dataset to make: `recipe` says how, `options` with what; a processed one names the dataset it comes from."""

    key: str
    investigation: str
    sample: str
    title: str
    recipe: str
    options: tuple[tuple[str, object], ...]
    techniques: tuple[str, ...]
    derived_from: str = ""
    description: str = ""


SYNTHETIC_NOTE = "Synthetic demonstration data: computed, not measured."

FACILITIES = (
    DemoFacility(
        "NANOLAB", "Example NanoLab", "Europe/Rome",
        "A fictional nanoscience laboratory with electron microscopes, made up for the demonstration of Faircat.",
    ),
    DemoFacility(
        "ELS", "Example Light Source", "Europe/Berlin",
        "A fictional synchrotron with beamlines for scattering, imaging and crystallography, made up for the demonstration.",
    ),
)  # fmt: skip

INSTRUMENTS = (
    DemoInstrument(
        "nanolab-supra", "NANOLAB", "Field emission SEM", "Carl Zeiss", "Supra 40", "scanning electron microscope",
        ("secondary electron intensity",), ("SEM",),
        "High resolution imaging of surfaces with an in-lens detector.", date(2009, 3, 2),
    ),
    DemoInstrument(
        "nanolab-helios", "NANOLAB", "Dual beam microscope", "FEI", "Helios NanoLab 650",
        "focused ion beam scanning electron microscope", ("secondary electron intensity",), ("SEM", "FIB-SEM"),
        "Electron and ion column for cross-sections and for slice and view.", date(2013, 9, 16),
    ),
    DemoInstrument(
        "nanolab-mira", "NANOLAB", "Life science SEM", "TESCAN", "MIRA3", "scanning electron microscope",
        ("secondary electron intensity", "backscattered electron intensity"), ("SEM",),
        "Variable pressure microscope for biological and polymer samples.", date(2016, 1, 11),
    ),
    DemoInstrument(
        "nanolab-jsm", "NANOLAB", "Analytical SEM", "JEOL", "JSM-7800F", "scanning electron microscope",
        ("secondary electron intensity", "x-ray spectrum"), ("SEM", "EDS"),
        "Analytical microscope for powders and particles.", date(2017, 5, 8),
    ),
    DemoInstrument(
        "nanolab-cryo", "NANOLAB", "Cryo-TEM", "Example Instruments", "Example 200", "transmission electron microscope",
        ("electron intensity",), ("TEM", "CRYO-EM"),
        "Transmission microscope for frozen hydrated specimens.", date(2019, 10, 1),
    ),
    DemoInstrument(
        "els-bl04", "ELS", "BL04 small angle scattering", "Example Light Source", "BL04", "beamline",
        ("scattered x-ray intensity",), ("SAXS", "WAXS", "XANES"),
        "Undulator beamline for scattering from solutions and films, 7 to 18 keV.", date(2011, 4, 4),
    ),
    DemoInstrument(
        "els-bl07", "ELS", "BL07 imaging", "Example Light Source", "BL07", "beamline",
        ("transmitted x-ray intensity", "x-ray fluorescence spectrum"), ("X-RAY-TOMOGRAPHY", "XRF"),
        "Tomography and fluorescence mapping of the same sample, 8 to 40 keV.", date(2014, 6, 23),
    ),
    DemoInstrument(
        "els-bl11", "ELS", "BL11 macromolecular crystallography", "Example Light Source", "BL11", "beamline",
        ("diffracted x-ray intensity",), ("MX",),
        "Microfocus beamline for protein crystals with a sample robot.", date(2015, 2, 2),
    ),
)  # fmt: skip

_CARBERRY = PersonEntry(
    given_name="Josiah", family_name="Carberry", orcid="0000-0002-1825-0097", affiliation="Example University"
)
_BEISPIEL = PersonEntry(
    given_name="Ada", family_name="Beispiel", orcid="0000-0005-0000-1019", affiliation="Example NanoLab"
)
_ESEMPIO = PersonEntry(
    given_name="Bruno", family_name="Esempio", orcid="0000-0005-0000-1027", affiliation="Example University"
)
_EXEMPLE = PersonEntry(
    given_name="Chloé", family_name="Exemple", orcid="0000-0005-0000-1035", affiliation="Example Institute"
)
_EKSEMPEL = PersonEntry(
    given_name="Dagny", family_name="Eksempel", orcid="0000-0005-0000-1043", affiliation="Example Light Source"
)
_PRZYKLAD = PersonEntry(
    given_name="Ewa", family_name="Przykład", orcid="0000-0005-0000-1051", affiliation="Example Institute"
)
_MITHAL = PersonEntry(
    given_name="Farid", family_name="Mithal", orcid="0000-0005-0000-106X", affiliation="Example University"
)
PEOPLE = (_CARBERRY, _BEISPIEL, _ESEMPIO, _EXEMPLE, _EKSEMPEL, _PRZYKLAD, _MITHAL)


def _team(pi: PersonEntry, local_contact: PersonEntry, *members: PersonEntry) -> tuple[PersonEntry, ...]:
    return (
        replace(pi, role="pi"),
        replace(local_contact, role="local_contact"),
        *(replace(member, role="member") for member in members),
    )


INVESTIGATIONS = (
    DemoInvestigation(
        "NL-ZNO-1", "nanolab-supra", 1500, 2, "Growth of zinc oxide nanowires on patterned silicon",
        "Nanowires were grown by vapour transport on seed films and on arrays of pillars; length, diameter and tilt are "
        "followed along the growth series.",
        "P-0114", "Ordered semiconductor nanostructures", _team(_CARBERRY, _BEISPIEL, _ESEMPIO),
        (SampleEntry(name="ZnO-04", formula="ZnO", description="Nanowires after 30 min of growth"),
         SampleEntry(name="Si-P64", formula="Si", description="Pillar array, 64 nm pitch"),
         SampleEntry(name="ZnO-seed", formula="ZnO", description="Seed film, 80 nm")),
    ),
    DemoInvestigation(
        "NL-CARB-3", "nanolab-helios", 420, 3, "Cross-sections of a porous carbon electrode",
        "Ion-milled cross-sections at three positions show how the pores of a battery electrode are connected. The probe tip and "
        "a micromechanical test structure served to calibrate the lift-out.",
        "P-0207", "Transport in porous electrodes", _team(_ESEMPIO, _BEISPIEL, _MITHAL),
        (SampleEntry(name="C-sponge-2", formula="C", description="Templated carbon, 60 % porosity"),
         SampleEntry(name="W-probe", formula="W", description="Manipulator tip"),
         SampleEntry(name="Comb-7", formula="Si", description="Comb drive test structure")),
        is_released_early=True,
    ),
    DemoInvestigation(
        "NL-FIB-2", "nanolab-mira", 1290, 1, "Electrospun scaffolds for tissue growth",
        "Diameter and orientation of electrospun fibres at three collector speeds.",
        "P-0151", "Fibre scaffolds", _team(_EXEMPLE, _BEISPIEL, _CARBERRY),
        (SampleEntry(name="PCL-800", formula="C6H10O2", description="Fibres, 800 rpm"),
         SampleEntry(name="PCL-1600", formula="C6H10O2", description="Fibres, 1600 rpm"),
         SampleEntry(name="Malva-1", description="Mallow pollen on carbon tape", sample_type="biological")),
    ),
    DemoInvestigation(
        "NL-POW-5", "nanolab-jsm", 75, 2, "Reference powders for an image classifier",
        "Powders and particles of certified size, imaged at fixed conditions as training material.",
        "P-0233", "Machine learning for electron microscopy", _team(_CARBERRY, _BEISPIEL, _MITHAL, _PRZYKLAD),
        (SampleEntry(name="Al2O3-a", formula="Al2O3", description="Ground alumina"),
         SampleEntry(name="SiO2-500", formula="SiO2", description="Monodisperse silica, 0.5 µm"),
         SampleEntry(name="SiO2-1300", formula="SiO2", description="Monodisperse silica, 1.3 µm"),
         SampleEntry(name="Malva-2", description="Mallow pollen, sputtered", sample_type="biological")),
    ),
    DemoInvestigation(
        "NL-FER-1", "nanolab-cryo", 1750, 2, "Ferritin in vitreous ice",
        "A test of ice thickness and of the new holder with a well known protein.",
        "P-0098", "Commissioning of the cryo-TEM", _team(_PRZYKLAD, _BEISPIEL),
        (SampleEntry(name="Ferritin-3", description="Apoferritin, 4 mg/mL", sample_type="biological"),),
    ),
    DemoInvestigation(
        "ELS-20417", "els-bl04", 1070, 3, "Self-assembly of block copolymer micelles",
        "Small angle scattering follows the radius of micelles with temperature; reduced curves are stored beside the "
        "patterns, and the copper edge of the labelled micelles was scanned.",
        "20417", "Micelles as carriers", _team(_CARBERRY, _EKSEMPEL, _EXEMPLE),
        (SampleEntry(name="PS-PEO-12", formula="C8H8", description="Micelles in water, 10 mg/mL"),
         SampleEntry(name="PS-PEO-20", formula="C8H8", description="Larger block, 10 mg/mL")),
    ),
    DemoInvestigation(
        "ELS-31066", "els-bl07", 190, 4, "Structure and elements of trabecular bone",
        "Tomography and maps of calcium and zinc on the same biopsies show where mineral is lost.",
        "31066", "Bone under load", _team(_EXEMPLE, _EKSEMPEL, _PRZYKLAD, _CARBERRY),
        (SampleEntry(name="Bone-A", description="Biopsy substitute, healthy", sample_type="biological"),
         SampleEntry(name="Bone-B", description="Biopsy substitute, porous", sample_type="biological")),
    ),
    DemoInvestigation(
        "ELS-29880", "els-bl11", 330, 1, "Lysozyme for the commissioning of the robot",
        "Standard crystals mounted by the robot, first frames of each rotation.",
        "29880", "Commissioning of BL11", _team(_ESEMPIO, _EKSEMPEL),
        (SampleEntry(name="HEWL-1", description="Hen egg-white lysozyme", sample_type="protein crystal"),),
        is_released_early=True,
    ),
)  # fmt: skip


def _sem(
    key: str,
    investigation: str,
    sample: str,
    title: str,
    recipe: str,
    picture: str,
    field_of_view: float,
    **options: object,
) -> DemoDataset:
    settings = {"picture": picture, "field_of_view": field_of_view, **options}
    return DemoDataset(key, investigation, sample, title, recipe, tuple(settings.items()), ("SEM",))


def _beamline(
    key: str,
    investigation: str,
    sample: str,
    title: str,
    recipe: str,
    technique: str,
    derived_from: str = "",
    **options: object,
) -> DemoDataset:
    return DemoDataset(key, investigation, sample, title, recipe, tuple(options.items()), (technique,), derived_from)


def _reduced(pattern: DemoDataset) -> DemoDataset:
    """The averaged curve of a scattering pattern."""
    return replace(
        pattern,
        key=f"{pattern.key}_reduced",
        title=f"{pattern.title}, averaged",
        recipe="reduced sas",
        derived_from=pattern.key,
    )


_PATTERNS = (
    _beamline(
        "PS-PEO-12_25C",
        "ELS-20417",
        "PS-PEO-12",
        "Micelles at 25 °C",
        "sas image",
        "SAXS",
        radius=18.0,
        temperature=25.0,
    ),
    _beamline(
        "PS-PEO-12_45C",
        "ELS-20417",
        "PS-PEO-12",
        "Micelles at 45 °C",
        "sas image",
        "SAXS",
        radius=21.5,
        temperature=45.0,
    ),
    _beamline(
        "PS-PEO-20_25C",
        "ELS-20417",
        "PS-PEO-20",
        "Larger micelles at 25 °C",
        "sas image",
        "SAXS",
        radius=29.0,
        temperature=25.0,
    ),
)

DATASETS = (
    _sem("ZnO-04_overview", "NL-ZNO-1", "ZnO-04", "Nanowire forest, tilted view", "zeiss", "nanowires", 6.1e-6, tilt=30.0),
    _sem("ZnO-04_detail", "NL-ZNO-1", "ZnO-04", "Nanowires, detail", "zeiss", "nanowires", 2.4e-6, tilt=30.0),
    _sem("ZnO-04_edge", "NL-ZNO-1", "ZnO-04", "Nanowires at the edge of the sample", "zeiss", "nanowires", 3.8e-6, tilt=45.0),
    _sem("Si-P64_array", "NL-ZNO-1", "Si-P64", "Pillar array before growth", "zeiss", "patterned surface", 1.05e-6),
    _sem("Si-P64_defects", "NL-ZNO-1", "Si-P64", "Pillar array, missing pillars", "zeiss", "patterned surface", 1.4e-6),
    _sem("ZnO-seed_film", "NL-ZNO-1", "ZnO-seed", "Grains of the seed film", "zeiss", "film", 1.9e-6),
    _sem("sponge_section01", "NL-CARB-3", "C-sponge-2", "Electrode, cross-section 1", "fei", "porous sponge", 8.2e-6, tilt=52.0),
    _sem("sponge_section02", "NL-CARB-3", "C-sponge-2", "Electrode, cross-section 2", "fei", "porous sponge", 8.2e-6, tilt=52.0),
    _sem("sponge_section03", "NL-CARB-3", "C-sponge-2", "Electrode, cross-section 3", "fei", "porous sponge", 8.2e-6, tilt=52.0),
    _sem("W-probe_tip", "NL-CARB-3", "W-probe", "Apex of the manipulator", "fei", "tip", 1.6e-6),
    _sem("Comb-7_overview", "NL-CARB-3", "Comb-7", "Comb drive of the test structure", "fei", "MEMS", 1.2e-4),
    _sem("PCL-800_mat", "NL-FIB-2", "PCL-800", "Fibre mat, slow collector", "tescan", "fibres", 4.2e-5),
    _sem("PCL-800_detail", "NL-FIB-2", "PCL-800", "Fibre mat, detail", "tescan", "fibres", 2.1e-5),
    _sem("PCL-1600_mat", "NL-FIB-2", "PCL-1600", "Fibre mat, fast collector", "tescan with side-car", "fibres", 4.2e-5),
    _sem("Malva-1_pollen", "NL-FIB-2", "Malva-1", "Mallow pollen", "tescan with side-car", "biological", 2.6e-4),
    _sem("Al2O3-a_500x", "NL-POW-5", "Al2O3-a", "Ground alumina, 500 x", "jeol", "powder", 2.4e-4),
    _sem("Al2O3-a_2000x", "NL-POW-5", "Al2O3-a", "Ground alumina, 2000 x", "jeol", "powder", 6.0e-5),
    _sem("SiO2-1300_10kx", "NL-POW-5", "SiO2-1300", "Silica spheres, 10 000 x", "jeol", "particles", 1.2e-5),
    _sem("SiO2-500_25kx", "NL-POW-5", "SiO2-500", "Silica spheres, 25 000 x", "jeol", "particles", 4.8e-6),
    # Their metadata tell the scale of another picture: what the scale bar says shows that.
    _sem("ZnO-04_copied_tag", "NL-ZNO-1", "ZnO-04", "Nanowires, with the metadata of the overview", "zeiss", "nanowires", 3.05e-6,
         tilt=30.0, claimed_field_of_view=6.1e-6),
    _sem("Al2O3-a_old_side-car", "NL-POW-5", "Al2O3-a", "Ground alumina, with the side-car of 500 x", "jeol", "powder", 3.0e-5,
         claimed_field_of_view=2.4e-4),
    _sem("Malva-2_pollen", "NL-POW-5", "Malva-2", "Mallow pollen, sputtered", "jeol", "biological", 2.6e-4),
    _beamline("ferritin_micrograph01", "NL-FER-1", "Ferritin-3", "Micrograph 1", "mrc picture", "CRYO-EM"),
    _beamline("ferritin_micrograph02", "NL-FER-1", "Ferritin-3", "Micrograph 2", "mrc picture", "CRYO-EM"),
    _beamline("ferritin_map", "NL-FER-1", "Ferritin-3", "Map", "mrc volume", "CRYO-EM", "ferritin_micrograph01"),
    *_PATTERNS,
    *(_reduced(pattern) for pattern in _PATTERNS),
    _beamline("alignment_and_edge", "ELS-20417", "PS-PEO-12", "Alignment and copper edge", "spec", "XANES"),
    _beamline("Bone-A_tomo", "ELS-31066", "Bone-A", "Tomogram of healthy bone", "tomography", "X-RAY-TOMOGRAPHY"),
    _beamline("Bone-B_tomo", "ELS-31066", "Bone-B", "Tomogram of porous bone", "tomography", "X-RAY-TOMOGRAPHY"),
    _beamline("Bone-A_fluo", "ELS-31066", "Bone-A", "Calcium and zinc in healthy bone", "fluorescence map", "XRF"),
    _beamline("Bone-B_fluo", "ELS-31066", "Bone-B", "Calcium and zinc in porous bone", "fluorescence map", "XRF"),
    _beamline("HEWL-1_run1", "ELS-29880", "HEWL-1", "Rotation series 1", "crystal frames", "MX"),
    _beamline("HEWL-1_run2", "ELS-29880", "HEWL-1", "Rotation series 2", "crystal frames", "MX"),
)  # fmt: skip

# What each kind of picture shows, in the words of `catalogue.vocabularies.image_categories`.
CATEGORY_OF_PICTURE = {
    "biological": "Biological",
    "fibres": "Fibres",
    "film": "Films and coated surfaces",
    "MEMS": "MEMS devices and electrodes",
    "nanowires": "Nanowires",
    "particles": "Particles",
    "patterned surface": "Patterned surfaces",
    "porous sponge": "Porous sponges",
    "powder": "Powders",
    "tip": "Tips",
}
