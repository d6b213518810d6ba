"""What of a PaNOSC database this catalogue cannot hold, said before anything is written. Pure; each problem names model and id.

Here a dataset has one instrument, one sample at most and one proposal at most, and what is imported is public.
"""

from collections.abc import Iterator
from datetime import datetime

from catalogue.identifiers import is_valid_orcid
from catalogue.interop.panosc_database import PanoscDatabase, Row, address_of, is_doi
from catalogue.publication import normalise_doi
from catalogue.units import to_si

PROPOSAL, PUBLICATION = "proposal", "publication"
# By model and property, where it is less than what may be in the file.
LONGEST = {
    "Instrument": {"name": 200},
    "Sample": {"name": 200},
    "Technique": {"name": 200},
    "Parameter": {"name": 200},
    "Affiliation": {"name": 300},
    "Person": {"fullName": 150, "firstName": 150, "lastName": 150},
}
LONGEST_PATH = 900
LONGEST_UNIT = 60
LONGEST_ADDRESS = 200


def problems_of(database: PanoscDatabase, *, now: datetime) -> Iterator[str]:
    """`now`: what is released later is not public yet, whatever it says of itself."""
    yield from _of_documents(database)
    for pid, row in database.of("Document").items():
        if row.get("releaseDate", now) > now:
            yield f"Document {pid}: it is released at {row['releaseDate']:%Y-%m-%d %H:%M} UTC only."
    yield from _of_datasets(database)
    yield from _of_parameters(database)
    yield from _of_lengths(database)
    yield from _of_names(database)


def doi_of(pid: str, doi: str) -> str:
    """The DOI of a document, which stands in its pid or in a property of its own; "" where it has none."""
    return next((normalise_doi(text) for text in (pid, doi) if is_doi(normalise_doi(text))), "")


def proposals_of(database: PanoscDatabase) -> dict[str, list[str]]:
    """The proposals that each dataset belongs to."""
    documents = database.of("Document")
    linked = database.linked("DocumentDataset").items()
    return {dataset: [key for key in keys if documents[key]["type"] == PROPOSAL] for dataset, keys in linked}


def _of_documents(database: PanoscDatabase) -> Iterator[str]:
    with_data = {document for _, document in database.links["DocumentDataset"]}
    dois: dict[str, str] = {}
    for pid, row in database.of("Document").items():
        doi = doi_of(pid, row.get("doi", ""))
        if doi and dois.setdefault(doi, pid) != pid:
            yield f"Document {pid}: it has the same DOI as Document {dois[doi]}."
        if not row["isPublic"]:
            yield f"Document {pid}: it is not public, and only what is public is imported. Take it out of the file."
        if row["type"] not in (PROPOSAL, PUBLICATION):
            yield f"Document {pid}: its type is to be {PROPOSAL} or {PUBLICATION}, not {row['type']!r}."
        if row["type"] == PUBLICATION and not doi:
            yield f"Document {pid}: a publication needs a DOI, as its pid or as its doi."
        if row["type"] == PROPOSAL and pid not in with_data:
            yield f"Document {pid}: a proposal without a dataset has no instrument, which it needs here."
        if "startDate" in row and "endDate" in row and row["endDate"] < row["startDate"]:
            yield f"Document {pid}: it ends before it starts."


def _of_datasets(database: PanoscDatabase) -> Iterator[str]:
    samples, proposals = database.linked("DatasetSample"), proposals_of(database)
    for pid, row in database.of("Dataset").items():
        if not row["isPublic"]:
            yield f"Dataset {pid}: it is not public, and only what is public is imported. Take it out of the file."
        if "instrumentId" not in row:
            yield f"Dataset {pid}: it names no instrument, and here each dataset has one."
        if len(samples.get(pid, ())) > 1:
            yield f"Dataset {pid}: it has {len(samples[pid])} samples, and here a dataset has one."
        if len(proposals.get(pid, ())) > 1:
            yield f"Dataset {pid}: it belongs to {len(proposals[pid])} proposals, and here a dataset belongs to one."
    yield from _of_facilities(database, proposals)
    yield from _of_files(database)


def _of_facilities(database: PanoscDatabase, proposals: dict[str, list[str]]) -> Iterator[str]:
    """All data of one proposal are measured at one facility."""
    datasets, instruments = database.of("Dataset"), database.of("Instrument")
    facilities: dict[str, set[str]] = {}
    for dataset, documents in proposals.items():
        if "instrumentId" in datasets[dataset]:
            for document in documents:
                facility = instruments[datasets[dataset]["instrumentId"]]["facility"]
                facilities.setdefault(document, set()).add(facility)
    for document, names in facilities.items():
        if len(names) > 1:
            yield f"Document {document}: its datasets were measured at several facilities: {', '.join(sorted(names))}."


def _of_files(database: PanoscDatabase) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for key, row in database.of("File").items():
        if (first := seen.setdefault((row["datasetId"], file_name(row)), key)) != key:
            yield f"File {key}: it has the name and path of File {first} of the same dataset."
        if len(file_name(row).encode()) > LONGEST_PATH:
            yield f"File {key}: its name and path are longer than {LONGEST_PATH} bytes."


def file_name(row: Row) -> str:
    """The path of a file within its dataset: where it has none, its name."""
    path, name = str(row.get("path", "")).strip("/"), str(row["name"])
    return path if path == name or path.endswith(f"/{name}") else "/".join(filter(None, (path, name)))


def _of_parameters(database: PanoscDatabase) -> Iterator[str]:
    with_data = {document for _, document in database.links["DocumentDataset"]}
    seen: dict[tuple[str, str, str], str] = {}
    for key, row in database.of("Parameter").items():
        unit, value = row.get("unit", ""), row["value"]
        owner = (row.get("datasetId", ""), row.get("documentId", ""), row["name"])
        if (first := seen.setdefault(owner, key)) != key:
            yield f"Parameter {key}: Parameter {first} of the same dataset or document has this name too."
        if "documentId" in row and row["documentId"] not in with_data:
            yield f"Parameter {key}: Document {row['documentId']} has no dataset, and here datasets keep parameters."
        if not isinstance(value, str) and (len(unit) > LONGEST_UNIT or to_si(value, unit) is None):
            yield f"Parameter {key}: the unit {unit[:LONGEST_UNIT]!r} of {row['name']} is not known."


def _of_lengths(database: PanoscDatabase) -> Iterator[str]:
    for model, longest in LONGEST.items():
        for key, row in database.of(model).items():
            for name, length in longest.items():
                if len(row.get(name, "")) > length:
                    yield f"{model} {key}: its {name} is longer than {length} characters."
    addresses = {("Instrument", pid): pid for pid in database.of("Instrument")}
    addresses |= {("Technique", pid): row.get("panetId") or pid for pid, row in database.of("Technique").items()}
    for (model, pid), named in addresses.items():
        if len(address_of(named)) > LONGEST_ADDRESS:
            yield f"{model} {pid}: the address of its pid is longer than {LONGEST_ADDRESS} characters."


def _of_names(database: PanoscDatabase) -> Iterator[str]:
    taken: dict[tuple[str, str], str] = {}
    for key, row in database.of("Instrument").items():
        if (first := taken.setdefault((row["facility"], row["name"]), key)) != key:
            yield f"Instrument {key}: Instrument {first} of the same facility has the same name."
    for key, row in database.of("Person").items():
        if row.get("orcid") and not is_valid_orcid(row["orcid"]):
            yield f"Person {key}: {row['orcid'][:40]!r} is no ORCID iD, or its check digit is wrong."
