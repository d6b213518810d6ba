"""The catalogue's standard parameter names: what they are called for people, their SI unit, where they belong.

Extraction maps what vendors write to these names; pages group and label by them; anything else keeps its vendor's name.
Values are stored in the SI unit (angles in radians). The names stand in `standard_names.csv` beside this file.
"""

import csv
from pathlib import Path
from typing import NamedTuple

GROUPS = ("Beam", "Image", "Stage", "Detector", "Environment", "Sample", "Time", "Instrument")


class StandardName(NamedTuple):
    """One standard parameter.

    `unit` is the SI unit ("" for plain numbers, None for text and dates), `display_unit` the unit that people expect in
    forms. Private names identify a person or a device and stay out of public metadata.
    """

    name: str
    label: str
    description: str
    unit: str | None
    display_unit: str | None
    nexus_path: str
    group: str
    is_private: bool


def label_for(name: str) -> str:
    """The label of a standard name for people; any other name stands for itself, as its vendor wrote it."""
    standard = STANDARD_NAMES.get(name)
    return standard.label if standard else name


def _read_table() -> dict[str, StandardName]:
    with Path(__file__).with_name("standard_names.csv").open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(line for line in stream if not line.startswith("#"))
        return {
            row["name"]: StandardName(
                name=row["name"],
                label=row["label"],
                description=row["description"],
                unit=_unit(row["unit"]),
                display_unit=_unit(row["display_unit"]),
                nexus_path=row["nexus_path"],
                group=row["group"],
                is_private=row["is_private"] == "yes",
            )
            for row in rows
        }


def _unit(text: str) -> str | None:
    return {"": None, "1": ""}.get(text, text)


STANDARD_NAMES: dict[str, StandardName] = _read_table()
