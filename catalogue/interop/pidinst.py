"""An instrument in the terms of PIDINST, by which instruments are registered and cited: JSON and XML. Pure.

Source: Krahl, R., et al. (2022): Metadata Schema for the Persistent Identification of Instruments (1.0). Research Data
Alliance, https://doi.org/10.15497/RDA00070; names and order of the fields as in the working group's serializations.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from catalogue.interop.description import Site
from catalogue.interop.xml_text import escaped, quoted, without_illegal
from catalogue.record import InstrumentRecord

SCHEMA_VERSION = "1.0"
PROFILE = "https://doi.org/10.15497/RDA00070"
# DataCite's standard value for what the facility did not say, https://schema.datacite.org: the schema wants a name.
UNKNOWN = ":unav"
_RESOLVERS = (
    ("DOI", re.compile(r"https?://(?:dx\.)?doi\.org/(10\..+)", re.IGNORECASE)),
    ("Handle", re.compile(r"https?://hdl\.handle\.net/(.+)", re.IGNORECASE)),
)
# The lists of the schema and the elements of each.
_ITEMS = {
    "owners": "owner",
    "manufacturers": "manufacturer",
    "instrumentTypes": "instrumentType",
    "measuredVariables": "measuredVariable",
    "dates": "date",
    "relatedIdentifiers": "relatedIdentifier",
    "alternateIdentifiers": "alternateIdentifier",
}
Fields = Mapping[str, Any]


def pidinst(instrument: InstrumentRecord, *, site: Site) -> dict[str, Any]:
    """The record as plain JSON. Without an identifier of its own an instrument is named by its page."""
    page = site.url + instrument.path
    kind, identifier = _identifier(instrument.pid or page)
    document: dict[str, Any] = {
        "identifier": {"identifier": identifier, "identifierType": kind},
        "schemaVersion": SCHEMA_VERSION,
        "landingPage": page,
        "name": instrument.name,
        "owners": [_owner(instrument)],
        "manufacturers": [{"manufacturerName": instrument.manufacturer or UNKNOWN}],
        "model": {"modelName": instrument.model} if instrument.model else None,
        "description": instrument.description,
        "instrumentTypes": _types(instrument),
        "measuredVariables": list(instrument.measured_variables),
        "dates": _dates(instrument),
        "relatedIdentifiers": _related(instrument, site),
        "alternateIdentifiers": _alternates(instrument),
    }
    return {name: value for name, value in document.items() if value}


def json_of(instrument: InstrumentRecord, *, site: Site) -> bytes:
    return json.dumps(pidinst(instrument, site=site), ensure_ascii=False, indent=1).encode("utf-8", "replace")


def xml_of(instrument: InstrumentRecord, *, site: Site) -> bytes:
    """The same as XML, after the working group's XSD: what tells the type of an identifier is an attribute of it."""
    elements = "".join(_element(name, value) for name, value in pidinst(instrument, site=site).items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<instrument>{elements}</instrument>\n'.encode()


def _owner(instrument: InstrumentRecord) -> Fields:
    owner: dict[str, Any] = {"ownerName": instrument.facility.name}
    if instrument.facility.ror:
        owner["ownerIdentifier"] = {"ownerIdentifier": instrument.facility.ror, "ownerIdentifierType": "ROR"}
    return owner


def _types(instrument: InstrumentRecord) -> Sequence[Fields]:
    """What it is, and the techniques that it is for by their terms."""
    own = [{"instrumentTypeName": instrument.instrument_type}] if instrument.instrument_type else []
    terms = [
        {
            "instrumentTypeName": term.label,
            "instrumentTypeIdentifier": {"instrumentTypeIdentifier": term.iri, "instrumentTypeIdentifierType": "URL"},
        }
        for term in instrument.techniques
    ]
    return [*own, *terms]


def _dates(instrument: InstrumentRecord) -> Sequence[Fields]:
    days = (("Commissioned", instrument.commissioned_on), ("DeCommissioned", instrument.decommissioned_on))
    return [{"date": day.isoformat(), "dateType": kind} for kind, day in days if day]


def _related(instrument: InstrumentRecord, site: Site) -> Sequence[Fields]:
    """The facility's own page about it, and our API."""
    links = (
        ("IsDescribedBy", instrument.url, "Page of the facility"),
        ("HasMetadata", f"{site.url}/api/v1{instrument.path}", f"The instrument in the API of {site.name}"),
    )
    return [
        {
            "relatedIdentifier": address,
            "relatedIdentifierType": "URL",
            "relationType": relation,
            "relatedIdentifierName": name,
        }
        for relation, address, name in links
        if address
    ]


def _alternates(instrument: InstrumentRecord) -> Sequence[Fields]:
    """Never the serial number: it is kept from public metadata."""
    names = (("Short name", instrument.short_name), ("UUID", str(instrument.uid)))
    return [
        {"alternateIdentifier": value, "alternateIdentifierType": "Other", "alternateIdentifierName": name}
        for name, value in names
    ]


def _identifier(address: str) -> tuple[str, str]:
    for kind, pattern in _RESOLVERS:
        if match := pattern.fullmatch(address):
            return kind, match[1]
    return "URL", address


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"<{name}>{''.join(_element(_ITEMS[name], item) for item in value)}</{name}>"
    if not isinstance(value, Mapping):
        return f"<{name}>{escaped(without_illegal(str(value)))}</{name}>"
    if name not in value:
        return f"<{name}>{''.join(_element(part, inner) for part, inner in value.items())}</{name}>"
    attributes = "".join(
        f' {part}="{quoted(without_illegal(str(inner)))}"' for part, inner in value.items() if part != name
    )
    return f"<{name}{attributes}>{escaped(without_illegal(str(value[name])))}</{name}>"
