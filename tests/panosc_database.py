"""A small database in the shape of the PaNOSC reference server's, and changes to it. No assertion belongs here."""

import json
from typing import Any

PANET = "http://purl.org/pan-science/PaNET/PaNET"
CREATED = "2020-05-05T15:01:02.341Z"
LOKI, ODIN, BEER = "20.500.99999/loki", "20.500.99999/odin", "20.500.99999/beer"
ONE, TWO, THREE, FOUR = (f"20.500.99999/dataset-{name}" for name in ("one", "two", "three", "four"))
PAPER, PROPOSAL = "10.5072/test-paper", "10.5072/test-proposal"
COPPER, STEEL = "20.500.99999/copper", "20.500.99999/steel"
SANS, XAS = "20.500.99999/sans", "20.500.99999/xas"


def dataset(pid: str, title: str, instrument: str, **values: Any) -> dict[str, Any]:
    return {"pid": pid, "title": title, "isPublic": True, "creationDate": CREATED, "instrumentId": instrument} | values


def tables() -> dict[str, dict[str, dict[str, Any]]]:
    """Rows by model and key: a paper with two datasets, a proposal with two at two instruments, an instrument without data."""
    rows: dict[str, list[dict[str, Any]]] = {
        "Affiliation": [{"id": 1, "name": "ESS", "address": "Odarslövsvägen 113", "city": "Lund", "country": "Sweden"}],
        "Instrument": [
            {"pid": LOKI, "name": "LoKI", "facility": "ESS"},
            {"pid": ODIN, "name": "ODIN", "facility": "ESS"},
            {"pid": BEER, "name": "BEER", "facility": "ESS"},
        ],
        "Dataset": [
            dataset(ONE, "Cylinder, first scan", LOKI),
            dataset(TWO, "Cylinder, second scan", ODIN, creationDate="2021-01-01T00:00:00.000Z"),
            dataset(THREE, "Plate, cold", LOKI),
            dataset(FOUR, "Plate, warm", ODIN),
        ],
        "Document": [
            {"pid": PAPER, "isPublic": True, "type": "publication", "title": "On cylinders", "summary": "Round ones.",
             "releaseDate": "2021-06-01T12:00:00.000Z", "license": "CC-BY-4.0", "keywords": ["copper"]},
            {"pid": PROPOSAL, "isPublic": True, "type": "proposal", "title": "Plates at work", "summary": "Flat ones.",
             "startDate": "2020-05-01T08:00:00.000Z", "endDate": "2020-05-08T08:00:00.000Z",
             "releaseDate": "2020-12-31T23:59:59.123Z"},
        ],
        "File": [
            {"id": 1, "name": "one.hdf", "datasetId": ONE, "size": 100, "path": "/raw"},
            {"id": 2, "name": "two.hdf", "datasetId": TWO},
        ],
        "Member": [
            {"id": 1, "role": "owner", "documentId": PROPOSAL, "personId": "p2", "affiliationId": 1},
            {"id": 2, "role": "principal investigator", "documentId": PROPOSAL, "personId": "p1", "affiliationId": 1},
            {"id": 3, "role": "principal investigator", "documentId": PAPER, "personId": "p2", "affiliationId": 1},
        ],
        "Person": [
            {"id": "p1", "fullName": "Ada Maria Lovelace", "orcid": "0000-0002-1825-0097"},
            {"id": "p2", "fullName": "James Chadwick"},
        ],
        "Parameter": [
            {"id": 1, "name": "chemical_formula", "value": "Cu", "unit": "", "datasetId": ONE},
            {"id": 2, "name": "photon_energy", "value": 930, "unit": "eV", "datasetId": TWO},
            {"id": 3, "name": "temperature", "value": 20, "unit": "celsius", "datasetId": THREE},
            {"id": 4, "name": "wavelength", "value": 1064, "unit": "nm", "datasetId": FOUR},
            {"id": 5, "name": "wavelength", "value": 1064, "unit": "nm", "documentId": PAPER},
        ],
        "Sample": [{"pid": COPPER, "name": "solid copper cylinder", "description": "2 cm"}, {"pid": STEEL, "name": "steel"}],
        "Technique": [
            {"pid": SANS, "name": "small-angle neutron scattering", "panetId": f"{PANET}01189"},
            {"pid": XAS, "name": "x-ray absorption", "panetId": f"{PANET}01227"},
        ],
    }  # fmt: skip
    tables = {model: {str(row.get("pid", row.get("id"))): row for row in found} for model, found in rows.items()}
    samples = {ONE: COPPER, TWO: COPPER, THREE: STEEL, FOUR: STEEL}
    techniques = {ONE: SANS, TWO: SANS, THREE: XAS, FOUR: XAS}
    documents = {ONE: PAPER, TWO: PAPER, THREE: PROPOSAL, FOUR: PROPOSAL}
    return tables | {
        # The reference server's own database has one id for all rows of this table.
        "DatasetSample": joined("sampleId", samples, id=1),
        "DatasetTechnique": joined("techniqueId", techniques),
        "DocumentDataset": joined("documentId", documents),
        "User": {},
    }


def joined(column: str, pairs: dict[str, str], **values: Any) -> dict[str, dict[str, Any]]:
    rows = enumerate(pairs.items(), 1)
    return {str(place): {"id": place, "datasetId": one, column: other} | values for place, (one, other) in rows}


def content_of(tables: dict[str, dict[str, dict[str, Any]]]) -> bytes:
    """As LoopBack's memory connector writes it: each row is JSON within JSON."""
    models = {model: {key: json.dumps(row) for key, row in rows.items()} for model, rows in tables.items()}
    ids = {model: len(rows) + 1 for model, rows in tables.items()}
    return json.dumps({"ids": ids, "models": models}, ensure_ascii=False).encode()
