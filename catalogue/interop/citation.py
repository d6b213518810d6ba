"""A citation in plain words, in the form that DataCite recommends: Creator (Year): Title. Publisher. Identifier."""

from catalogue.record import DatasetRecord, InvestigationRecord

MOST_NAMES = 10


def citation(record: DatasetRecord | InvestigationRecord, *, site_url: str) -> str:
    """The citation of `record`; its year is that of the release to the public."""
    names = [f"{person.family_name}, {person.given_name}".rstrip(", ") for person in record.people]
    creators = "; ".join(names[:MOST_NAMES]) + ("; et al." if len(names) > MOST_NAMES else "")
    return (
        f"{creators or record.facility.name} ({record.access.opens_at.year}): {record.title}. "
        f"{record.facility.name}. Dataset. {site_url}{record.path}"
    )
