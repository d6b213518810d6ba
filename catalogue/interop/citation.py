"""A citation in plain words, in the form that DataCite recommends: Creator (Year): Title. Publisher. Identifier."""

from collections.abc import Sequence

from catalogue.publication import Publication, doi_url
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord

MOST_NAMES = 10


def citation(record: DatasetRecord | InvestigationRecord, *, site_url: str) -> str:
    """The citation of `record` by its DOI or, without one, by its page; its year is that of the release to the public."""
    anonymous = ["Anonymous"] if record.access.hides_people else []
    names = anonymous or [f"{person.family_name}, {person.given_name}".rstrip(", ") for person in record.people]
    return (
        f"{_creators(names) or record.facility.name} ({record.access.opens_at.year}): {record.title}. "
        f"{record.facility.name}. Dataset. {doi_url(record.doi) or site_url + record.path}"
    )


def publication_citation(publication: Publication) -> str:
    """The citation of a publication by its DOI or, without one, by its page."""
    creators = _creators([creator.inverted_name for creator in publication.text.creators])
    return _joined(
        f"{creators or publication.publisher_name} ({publication.publication_year}): {publication.text.title}",
        f"Version {publication.version}" if publication.version else "",
        publication.publisher_name,
        publication.resource_type_general,
        publication.doi_url or publication.url,
    )


def collection_citation(record: CollectionRecord, *, publisher_name: str) -> str:
    """The citation of a published collection by its DOI, as its landing page has it."""
    creators = _creators([creator.inverted_name for creator in record.text.creators])
    year = (record.published_at or record.updated_at).year
    return _joined(
        f"{creators or publisher_name} ({year}): {record.title}",
        f"Version {record.number}",
        publisher_name,
        "Dataset",
        doi_url(record.doi),
    )


def _joined(*parts: str) -> str:
    return ". ".join(part.removesuffix(".") for part in parts if part)


def _creators(names: Sequence[str]) -> str:
    return "; ".join(names[:MOST_NAMES]) + ("; et al." if len(names) > MOST_NAMES else "")
