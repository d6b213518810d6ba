"""How DataCite writes names down: JSON:API documents, and the errors' document. Pure functions."""

from typing import Any

from doi.standin.kernel import KERNEL
from doi.standin.rules import LISTS_OF_OBJECTS, Record, alternate_identifiers

_LISTS = (*LISTS_OF_OBJECTS, "sizes", "formats")
_OBJECTS = ("types", "container")
_TEXTS = ("publisher", "publicationYear", "language", "version", "xml", "url", "contentUrl", "source", "reason")
_COUNTS = ("view", "download", "reference", "citation", "part", "partOf", "version", "versionOf")
# RIS, BibTeX, CSL and schema.org call a type of resource so.
_TYPE_NAMES = {
    "Dataset": ("DATA", "misc", "dataset", "Dataset"),
    "Collection": ("GEN", "misc", "collection", "Collection"),
    "Software": ("COMP", "misc", "software", "SoftwareSourceCode"),
    "JournalArticle": ("JOUR", "article", "article-journal", "ScholarlyArticle"),
}
_OTHER_TYPE = ("GEN", "misc", "article", "CreativeWork")


def document(record: Record, *, has_objects: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The resource object of a name. Publisher and affiliations are bare names, unless named in `has_objects`."""
    prefix, _, suffix = record.doi.partition("/")
    attributes: dict[str, Any] = {"doi": record.doi, "prefix": prefix, "suffix": suffix}
    attributes |= {name: record.metadata.get(name) for name in _TEXTS}
    attributes |= {name: record.metadata.get(name, []) for name in _LISTS}
    attributes |= {name: record.metadata.get(name, {}) for name in _OBJECTS}
    attributes |= {f"{name}Count": 0 for name in _COUNTS}
    attributes["alternateIdentifiers"] = alternate_identifiers(record.metadata)
    attributes["types"] = _types(attributes["types"])
    for name in ("creators", "contributors"):
        attributes[name] = [_person(person, "affiliation" in has_objects) for person in attributes[name]]
    if "publisher" not in has_objects:
        attributes["publisher"] = (attributes["publisher"] or {}).get("name")
    attributes |= {
        "metadataVersion": record.version,
        "schemaVersion": record.metadata.get("schemaVersion", KERNEL),
        "isActive": record.state == "findable",
        "state": record.state,
        "created": record.created,
        "registered": record.registered,
        "published": _published(record.metadata),
        "updated": record.updated,
    }
    client = {"data": {"id": record.owner.lower(), "type": "clients"}}
    return {"id": record.doi, "type": "dois", "attributes": attributes, "relationships": {"client": client}}


def _types(types: dict[str, Any]) -> dict[str, Any]:
    if not types:
        return {}
    names = _TYPE_NAMES.get(str(types.get("resourceTypeGeneral")), _OTHER_TYPE)
    return dict(zip(("ris", "bibtex", "citeproc", "schemaOrg"), names, strict=True)) | types


def _person(person: dict[str, Any], has_objects: bool) -> dict[str, Any]:
    affiliations = person.get("affiliation") or []
    listed = affiliations if isinstance(affiliations, list) else [affiliations]
    objects = [item if isinstance(item, dict) else {"name": item} for item in listed]
    shown = objects if has_objects else [item["name"] for item in objects if item.get("name")]
    return person | {"affiliation": shown, "nameIdentifiers": person.get("nameIdentifiers") or []}


def _published(metadata: dict[str, Any]) -> str | None:
    """The date of issue, else the year."""
    for date in metadata.get("dates", []):
        if date.get("dateType") == "Issued":
            return str(date.get("date"))
    year = metadata.get("publicationYear")
    return str(year) if year else None
