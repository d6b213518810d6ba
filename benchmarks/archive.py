"""A big archive for the benchmarks: instruments and investigations by the models, datasets and their rows by SQL.

It is shaped as archives are: investigations follow one another, twenty at a time; the newest third is under embargo, but for a
few that were released early; one facility with a rare technique was closed long ago. Nothing is measured here.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from catalogue.access import SYSTEM
from catalogue.models import Facility, Instrument, Investigation, Person, Proposal, Sample, TeamMember, Technique
from catalogue.models.investigations import TeamRole
from catalogue.services.vocabularies import load_licences, load_techniques
from catalogue.vocabularies.techniques import read_own_table
from tests import factories

STEP = 50_000
SESSIONS_AT_ONCE = 20
YEARS = 9
EMBARGO = timedelta(days=365 * 3)
RICH_EVERY, FILES, PARAMETERS = 200, 10, 20
BIG_FILES = 100_000
OWN_TERMS = "https://w3id.org/faircat/technique/"
TECHNIQUES = ("SEM", "TEM", "STEM", "EDS", "EBSD", "FIB")
RARE_TECHNIQUE = "WDS"
WORDS = ("film", "steel", "perovskite", "catalyst", "membrane", "alloy", "protein", "oxide", "graphene", "bone")


@dataclass(frozen=True)
class Shape:
    """`rich_every`: one of so many datasets has 10 files and 20 parameters."""

    datasets: int
    investigations: int
    rich_every: int = RICH_EVERY


def make_archive(shape: Shape) -> None:
    first = _make_investigations(shape.investigations)
    numbers = {"per": max(1, shape.datasets // shape.investigations), "base": first, "many": shape.investigations}
    for start in range(0, shape.datasets, STEP):
        span = {"first": start, "last": min(start + STEP, shape.datasets) - 1}
        for statement in (DATASETS, REVISIONS, TECHNIQUE_LINKS, AUDIT):
            execute(statement, numbers | span)
        for statement in (DATAFILES, PARAMETER_ROWS):
            execute(statement, span | {"every": shape.rich_every, "parts": FILES, "values": PARAMETERS})
    execute(BIG_DATASET, {"first": 0, "last": BIG_FILES - 1})
    for statement in COUNTS:
        execute(statement, {})
    execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE", {})


def execute(statement: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_for_vendor(statement, connection.vendor), values)


def _make_investigations(many: int) -> int:
    """Gives the primary key of the first investigation; the others follow it without gaps."""
    load_licences(actor=SYSTEM)
    load_techniques(actor=SYSTEM, terms=read_own_table())
    instruments = _make_instruments()
    factories.make_storage(Path("/nonexistent"), name="bench", instrument=instruments[0])
    factories.make_user("bench")
    people = [factories.make_person(factories.make_user(f"pi{number}")) for number in range(500)]
    rows = [_investigation(number, many, instruments) for number in range(many)]
    proposals = [Proposal(facility=row.facility, number=f"P{number}") for number, row in enumerate(rows)]
    for row, proposal in zip(rows, Proposal.objects.bulk_create(proposals, batch_size=2000), strict=True):
        row.proposal = proposal
    rows = Investigation.objects.bulk_create(rows, batch_size=1000)
    TeamMember.objects.bulk_create(_team(rows, people), batch_size=5000)
    samples = [Sample(investigation=row, name=f"sample {part}") for row in rows for part in "AB"]
    Sample.objects.bulk_create(samples, batch_size=5000)
    return rows[0].pk


def _make_instruments() -> list[Instrument]:
    """Twenty at three facilities; the last one is that of the closed facility."""
    facilities = [
        Facility.objects.create(name=f"Facility {name}", short_name=name) for name in ("East", "West", "Past")
    ]
    terms = {term.iri.removeprefix(OWN_TERMS): term for term in Technique.objects.filter(iri__startswith=OWN_TERMS)}
    instruments = []
    for number in range(20):
        facility = facilities[2 if number == 19 else number % 2]
        instrument = factories.make_instrument(facility=facility, short_name=f"scope-{number}", name=f"Scope {number}")
        names = [RARE_TECHNIQUE] if number == 19 else [TECHNIQUES[number % 6], *(["EPMA"] if number % 5 == 0 else [])]
        instrument.techniques.set(terms[name] for name in names)
        instruments.append(instrument)
    return instruments


def _investigation(number: int, many: int, instruments: list[Instrument]) -> Investigation:
    is_of_closed_facility = number < many // 50 and number % 20 == 19
    instrument = instruments[-1 if is_of_closed_facility else number % 19]
    started_at = timezone.now() - timedelta(days=365 * YEARS) * (1 - number / many)
    return Investigation(
        facility=instrument.facility,
        instrument=instrument,
        visit_id=f"visit-{number}",
        title=f"Structure of {WORDS[number % 10]} {number} under load",
        abstract="What was measured and why. " * 10,
        started_at=started_at,
        ended_at=started_at + timedelta(days=2),
        embargo_until=started_at + EMBARGO,
        released_at=started_at if number % 500 == 0 else None,
        stamped_at=started_at,
        stamped_open_at=started_at if number % 500 == 0 else started_at + EMBARGO,
    )


def _team(rows: list[Investigation], people: list[Person]) -> list[TeamMember]:
    roles = (TeamRole.PI, TeamRole.LOCAL_CONTACT, TeamRole.MEMBER)
    return [
        TeamMember(investigation=row, person=people[(number + place * 7) % len(people)], role=role, position=place)
        for number, row in enumerate(rows)
        for place, role in enumerate(roles)
    ]


def _for_vendor(statement: str, vendor: str) -> str:
    """`<numbers a b>` becomes a table with the column n in each database's way; `<uid>` a uid made of that number."""
    uid = "'0197a1b23c4d7e5f8a9b' || substr('000000000000' || numbers.n, -12)"
    series = "(WITH RECURSIVE c(n) AS (SELECT {0} UNION ALL SELECT n + 1 FROM c WHERE n < {1}) SELECT n FROM c)"
    if vendor == "postgresql":
        uid = "('0197a1b23c4d7e5f8a9b' || lpad(numbers.n::text, 12, '0'))::uuid"
        series = "(SELECT n FROM generate_series({0}::bigint, {1}::bigint) AS g(n))"
    for name, bounds in (
        ("numbers", ("%(first)s", "%(last)s")),
        ("pieces", ("1", "%(parts)s")),
        ("parts", ("1", "%(values)s")),
    ):
        statement = statement.replace(f"<{name}>", f"{series.format(*bounds)} AS {name}")
    return statement.replace("<uid>", uid)


DATASETS = f"""
    INSERT INTO catalogue_dataset (uid, version, created_at, updated_at, investigation_id, instrument_id, sample_id, kind,
      title, description, acquired_at, licence_id, state, withdrawal_reason, registered_by_id, registration_key,
      extraction_state, extraction_notes, format_label, has_thumbnail, file_count, size, download_count, follows_raw_data)
    SELECT <uid>, 1, i.started_at, i.started_at, i.id, i.instrument_id,
      (SELECT min(s.id) FROM catalogue_sample s WHERE s.investigation_id = i.id) + numbers.n %% 2,
      CASE WHEN numbers.n %% 10 = 0 THEN 'processed' ELSE 'raw' END, 'Scan ' || numbers.n || ' of ' || substr(i.title, 14),
      CASE WHEN numbers.n %% 3 = 0 THEN 'Recorded at high vacuum, position ' || numbers.n ELSE '' END, i.started_at,
      'CC-BY-4.0', 'active', '', u.id, 'fill-' || numbers.n, CASE WHEN numbers.n %% 1000 = 7 THEN 'failed' ELSE 'done' END,
      '[]', 'TIFF', numbers.n %% 2 = 0, {FILES}, {FILES}000000, 0, true
    FROM <numbers>
    JOIN catalogue_investigation i ON i.id = %(base)s
      + CAST(numbers.n / ({SESSIONS_AT_ONCE} * %(per)s) AS integer) * {SESSIONS_AT_ONCE} + numbers.n %% {SESSIONS_AT_ONCE}
    JOIN catalogue_user u ON u.username = 'bench'
    WHERE i.id < %(base)s + %(many)s
    """
REVISIONS = """
    INSERT INTO catalogue_datasetrevision (dataset_id, number, is_pending, stamped_at, stamped_open_at)
    SELECT d.id, 1, false, d.created_at, CASE WHEN i.released_at IS NOT NULL THEN i.released_at ELSE i.embargo_until END
    FROM <numbers> JOIN catalogue_dataset d ON d.uid = <uid> JOIN catalogue_investigation i ON i.id = d.investigation_id
    """
TECHNIQUE_LINKS = """
    INSERT INTO catalogue_dataset_techniques (dataset_id, technique_id)
    SELECT d.id, t.technique_id FROM <numbers>
    JOIN catalogue_dataset d ON d.uid = <uid>
    JOIN catalogue_instrument_techniques t ON t.instrument_id = d.instrument_id
    """
AUDIT = """
    INSERT INTO catalogue_auditentry (at, actor_label, action, object_type, object_id, object_label, before, after, request_id)
    SELECT d.created_at, 'bench', 'create', 'dataset', CAST(d.uid AS varchar(36)), d.title, '{}', '{}', ''
    FROM <numbers> JOIN catalogue_dataset d ON d.uid = <uid>
    """
DATAFILES = """
    INSERT INTO catalogue_datafile (dataset_id, storage_id, path, name, size, sha256, media_type, role, fixity)
    SELECT d.id, s.id, 'fill/' || numbers.n || '/' || pieces.n, 'image_' || pieces.n || '.tif', 1000000, '', 'image/tiff',
      'data', 'intact'
    FROM <numbers> JOIN catalogue_dataset d ON d.uid = <uid>, <pieces>, catalogue_storage s
    WHERE s.name = 'bench' AND numbers.n %% %(every)s = 0
    """
PARAMETER_ROWS = """
    INSERT INTO catalogue_parameter (dataset_id, "group", name, source, kind, text, unit, value, value_si, unit_si, is_personal)
    SELECT d.id, '', 'quantity_' || parts.n, 'instrument', 'number', '1.5', 'kV', 1.5, 1500, 'V', false
    FROM <numbers> JOIN catalogue_dataset d ON d.uid = <uid>, <parts>
    WHERE numbers.n %% %(every)s = 0
    """
BIG_DATASET = """
    INSERT INTO catalogue_datafile (dataset_id, storage_id, path, name, size, sha256, media_type, role, fixity)
    SELECT d.id, s.id, 'big/' || numbers.n, 'frame_' || numbers.n || '.tif', 1000000, '', 'image/tiff', 'data', 'intact'
    FROM <numbers>, catalogue_dataset d, catalogue_storage s
    WHERE s.name = 'bench' AND d.registration_key = 'fill-1'
    """
COUNTS = (
    f"UPDATE catalogue_dataset SET file_count = {BIG_FILES}, size = {BIG_FILES}000000 WHERE registration_key = 'fill-1'",
    """
    UPDATE catalogue_investigation SET dataset_count = c.datasets, file_count = c.files, size = c.bytes,
      first_dataset_key = c.first, last_dataset_key = c.last
    FROM (SELECT investigation_id, count(*) AS datasets, sum(file_count) AS files, sum(size) AS bytes,
                 min(id) AS first, max(id) AS last
          FROM catalogue_dataset GROUP BY investigation_id) AS c
    WHERE c.investigation_id = catalogue_investigation.id
    """,
    """
    UPDATE catalogue_instrument SET dataset_count =
      (SELECT coalesce(sum(i.dataset_count), 0) FROM catalogue_investigation i WHERE i.instrument_id = catalogue_instrument.id)
    """,
    """
    UPDATE catalogue_technique SET dataset_count = c.datasets
    FROM (SELECT technique_id, count(*) AS datasets FROM catalogue_dataset_techniques GROUP BY technique_id) AS c
    WHERE c.technique_id = catalogue_technique.id
    """,
)
