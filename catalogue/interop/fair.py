"""How FAIR a record is: checks in the spirit of F-UJI, each with what would improve it and who can. Pure, computed locally.

Source: metrics of FAIRsFAIR as F-UJI tests them, https://doi.org/10.5281/zenodo.6461229 (version 0.5 names them as here).
Everything is read from the Description that the page is made of: what its reader may not see is neither praised nor missed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from catalogue.interop.description import Description
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord

TEST_PREFIX = "10.5072/"
MOST_NAMED = 3
# Formats with a public specification and free readers, by the words that our readers name them with.
_OPEN_FORMAT = re.compile(
    r"\b(?:TIFF|NeXus|HDF5|x-hdf5|EMD|MRC|CBF|CIF|EDF|SPEC|PNG|JPEG|CSV|JSON|XML|text|netCDF|FITS|Zarr)\b",
    re.IGNORECASE,
)
_PERSISTENT = {"DOI", "Handle", "ARK", "PURL", "URN", "w3id", "IGSN", "RRID", "arXiv", "PMID", "bibcode", "SWHID"}
_RESOLVERS = (
    "https://doi.org/",
    "https://hdl.handle.net/",
    "https://w3id.org/",
    "http://purl.org/",
    "https://n2t.net/",
)


@dataclass(frozen=True)
class Check:
    """One check. `has_passed` is None where its reader does not see what it is about.

    `metric` is that of F-UJI; `told` says what was found; where it failed, `who` "can" do what `advice` says, on the page
    `path`, which is empty where there is none.
    """

    metric: str
    title: str
    has_passed: bool | None
    told: str
    advice: str = ""
    who: str = ""
    path: str = ""


@dataclass(frozen=True)
class Assessment:
    """All checks of a record; those that could not be made count in neither number."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> int:
        return sum(check.has_passed is True for check in self.checks)

    @property
    def total(self) -> int:
        return sum(check.has_passed is not None for check in self.checks)


def assess(description: Description) -> Assessment | None:
    """The checks of a record in the order of the FAIR principles; None for what was withdrawn and for drafts."""
    record, publication = description.record, description.publication
    if publication.access_rights == "metadata only" or _is_draft(record):
        return None
    checks = (check(description) for check in _CHECKS)
    return Assessment(tuple(replace(one, advice="", who="", path="") if one.has_passed else one for one in checks))


def _unique_identifier(_: Description) -> Check:
    return Check("FsF-F1-01D", "Unique identifier", True, "Its address stands for it and for nothing else.")


def _persistent_identifier(description: Description) -> Check:
    title, metric, doi = "Persistent identifier", "FsF-F1-02D", description.publication.doi
    if doi and not doi.startswith(TEST_PREFIX):
        return Check(metric, title, True, f"It has the DOI {doi}.")
    if doi:
        told, advice = "Its DOI is a test DOI, which doi.org does not know.", "connect it to DataCite"
        return Check(metric, title, False, told, advice, "The administrator of the site")
    if isinstance(description.record, DatasetRecord):
        told, advice = "It has no DOI of its own.", "publish it, alone or with others: it gets a DOI within minutes"
        return Check(metric, title, False, told, advice, "A member of the team", "/doi/new")
    told, advice = "It has no DOI yet; the site registers one by itself.", "see why not, and try again"
    return Check(metric, title, False, told, advice, "A curator", "/curate")


def _core_metadata(description: Description) -> Check:
    text = description.publication.text
    present = {
        "title": text.title,
        "authors": text.creators,
        "description": text.abstract,
        "publisher": description.publication.publisher_name,
        "keywords": text.subjects,
    }
    missing = [name for name, value in present.items() if not value]
    told = (
        f"There is no {' and no '.join(missing)}."
        if missing
        else "Title, authors, description, publisher and date are given."
    )
    return _check("FsF-F2-01M", "Core metadata", not missing, told, "add what is missing", description)


def _data_are_named(description: Description) -> Check:
    title, metric, publication = "Data named in the metadata", "FsF-F3-01M", description.publication
    if publication.access_rights != "open":
        return Check(metric, title, None, "The metadata name the files once the data are open.")
    if publication.file_count:
        return Check(metric, title, True, "The metadata tell size and number of the files and where to get them.")
    return _check(metric, title, False, "No files are registered.", "register the files", description)


def _machine_readable(_: Description) -> Check:
    told = "schema.org in the page, signposting in its header, DataCite, Dublin Core and DCAT beside it, and OAI-PMH."
    return Check("FsF-F4-01M, FsF-I1-01M", "Forms for machines", True, told)


def _access_is_stated(description: Description) -> Check:
    if description.publication.access_rights == "open":
        return Check("FsF-A1-01M", "Access conditions stated", True, "It is stated that everybody has access.")
    record = description.record
    told = "It is stated that parts are closed." if isinstance(record, CollectionRecord) else f"{record.access.text}."
    return Check("FsF-A1-01M", "Access conditions stated", True, told)


def _data_are_reachable(description: Description) -> Check:
    title, metric, publication = "Data by a standard protocol", "FsF-A1-03D", description.publication
    if publication.access_rights != "open":
        told, advice = (
            "Not all of the data are open yet.",
            "release them before the embargo ends",
        )
        return Check(metric, title, False, told, advice, "The principal investigator")
    if not publication.file_count:
        return _check(metric, title, False, "There are no files to get.", "register the files", description)
    return Check(metric, title, True, "HTTPS, without an account, in parts and resumable.")


def _vocabulary(description: Description) -> Check:
    subjects = description.publication.text.subjects
    terms = [subject.term for subject in subjects if subject.value_uri]
    if terms:
        told = f"Terms of a vocabulary: {', '.join(terms[:MOST_NAMED])}."
        return Check("FsF-I2-01M", "Terms of vocabularies", True, told)
    told, advice = "No technique is named by a term of PaNET.", "name the technique"
    return _check("FsF-I2-01M", "Terms of vocabularies", False, told, advice, description)


def _people(description: Description) -> Check:
    title, metric = "People by ORCID", "FsF-I3-01M"
    people = [creator for creator in description.publication.text.creators if not creator.is_organisation]
    if _hides_people(description):
        return Check(metric, title, None, "People are hidden from those who came by this link.")
    named = sum(bool(creator.orcid) for creator in people)
    if people and named == len(people):
        return Check(metric, title, True, "All authors are named by their ORCID iDs.")
    told = f"ORCID iDs are known of {named} of {len(people)} authors." if people else "No person is named as author."
    advice = "sign in with ORCID, so that the iD is known"
    return Check(metric, title, False, told, advice, "Each author", "/accounts/3rdparty/")


def _relations(description: Description) -> Check:
    title, metric = "Related works and things", "FsF-I3-01M"
    named = [one for one in description.publication.related if _is_persistent(one.identifier_type, one.identifier)]
    if named:
        count = "One related thing is" if len(named) == 1 else f"{len(named)} related things are"
        return Check(metric, title, True, f"{count} named by a persistent identifier.")
    if not _shows_metadata(description):
        return Check(metric, title, None, "Relations are shown once the data are open.")
    told, advice = (
        "No related thing has a persistent identifier.",
        "name the paper, the source data, or the PID of the instrument",
    )
    return _check(metric, title, False, told, advice, description)


def _content(description: Description) -> Check:
    """Of a dataset that there are values with units, of others that it is told how much they hold."""
    title, metric, record = "Content described", "FsF-R1-01MD", description.record
    if not isinstance(record, DatasetRecord):
        if not record.dataset_count and not _shows_metadata(description):
            return Check(metric, title, None, "How much there is, is told once the data are open.")
        told = f"{_counted(record.dataset_count, 'dataset')} and {_counted(record.file_count, 'file')} are counted."
        return Check(metric, title, record.dataset_count > 0, told, "register the data", "The instrument or the team")
    if not _shows_metadata(description):
        return Check(metric, title, None, "Measured values are shown once the data are open.")
    with_units = sum(bool(value.unit) for value in record.parameters)
    told = f"{_counted(len(record.parameters), 'value')} described, {with_units} of them with a unit."
    path = f"{record.path}/corrections"
    return Check(metric, title, with_units > 0, told, "add values that the files do not tell", "The team", path)


def _licence(description: Description) -> Check:
    licence = description.publication.licence
    told = f"{licence.name}." if licence.url else f"“{licence.name}” has no address that machines know."
    advice = "choose a licence of the SPDX list, such as CC BY 4.0"
    return _check("FsF-R1.1-01M", "Licence for machines", bool(licence.url), told, advice, description)


def _provenance(description: Description) -> Check:
    record, publication = description.record, description.publication
    missing = []
    if not any(date.date_type == "Collected" for date in publication.dates) and not isinstance(
        record, CollectionRecord
    ):
        missing.append("when it was measured")
    if isinstance(record, DatasetRecord) and record.kind == "processed" and not record.derived_from:
        if not _shows_metadata(description):
            return Check("FsF-R1.2-01M", "Provenance", None, "Where it comes from is shown once the data are open.")
        missing.append("which data it was made from")
    if isinstance(record, CollectionRecord) and not (publication.dates and publication.related):
        missing.append("where its data come from")
    told = (
        f"It is not told {' nor '.join(missing)}." if missing else "It is told when, where and from what it was made."
    )
    return _check("FsF-R1.2-01M", "Provenance", not missing, told, "add what is missing", description)


def _formats(description: Description) -> Check:
    title, metric, publication = "Open file formats", "FsF-R1.3-02D", description.publication
    is_told = isinstance(description.record, DatasetRecord) and _shows_metadata(description)
    if not publication.formats and not is_told:
        return Check(metric, title, None, "Formats are told of datasets, once they are open.")
    closed = [name for name in publication.formats if not _OPEN_FORMAT.search(name)]
    if publication.formats and not closed:
        return Check(metric, title, True, f"{', '.join(publication.formats[:MOST_NAMED])}.")
    told = (
        f"{', '.join(closed[:MOST_NAMED])} needs software of its maker." if closed else "The format was not recognised."
    )
    advice = "add a copy in an open format, such as NeXus, HDF5 or TIFF"
    return _check(metric, title, False, told, advice, description)


_CHECKS: tuple[Callable[[Description], Check], ...] = (
    _unique_identifier,
    _persistent_identifier,
    _core_metadata,
    _data_are_named,
    _machine_readable,
    _access_is_stated,
    _data_are_reachable,
    _vocabulary,
    _people,
    _relations,
    _content,
    _licence,
    _provenance,
    _formats,
)


def _check(
    metric: str,
    title: str,
    has_passed: bool,
    told: str,
    advice: str,
    description: Description,
) -> Check:
    """A check of what the team writes about its data."""
    who = "The authors" if isinstance(description.record, CollectionRecord) else "The team"
    return Check(metric, title, has_passed, told, advice, who, _edit_path(description))


def _edit_path(description: Description) -> str:
    """Where the description of a record is changed: collections in the wizard, others by the API."""
    record = description.record
    return f"/doi/drafts/{record.uid}" if isinstance(record, CollectionRecord) else "/api/docs"


def _is_draft(record: DatasetRecord | InvestigationRecord | CollectionRecord) -> bool:
    return isinstance(record, CollectionRecord) and not record.doi


def _shows_metadata(description: Description) -> bool:
    record = description.record
    return isinstance(record, CollectionRecord) or record.access.shows_metadata


def _hides_people(description: Description) -> bool:
    record = description.record
    if isinstance(record, CollectionRecord):
        return not record.text.creators
    return record.access.hides_people


def _is_persistent(identifier_type: str, identifier: str) -> bool:
    return identifier_type in _PERSISTENT or identifier.startswith(_RESOLVERS)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
