"""The distributions of DCAT-AP: where the bytes of open data are. Closed data have none. Pure.

A dataset may have 100,000 files. What brings all of them comes first, an archive or, where they are too many for one, a list for
a program; then the first few files are named one by one, with sizes and checksums.
"""

import re
from urllib.parse import quote

from rdflib import DCTERMS, FOAF, RDF, RDFS, Graph, Literal, URIRef
from rdflib.namespace import XSD

from catalogue.downloads.lists import file_url
from catalogue.interop.dcat_terms import DCAT, MEDIA_TYPES, SPDX, add, iri, text, whole_number
from catalogue.interop.description import FEW_FILES, Description
from catalogue.interop.schema_org import archive_url
from catalogue.record import DatasetRecord, FileRef

ZIP = "application/zip"
# Registered with IANA: types that begin with x- are not.
_REGISTERED = re.compile(r"(?:application|audio|font|image|model|text|video)/(?!x-)[a-z0-9][a-z0-9.+-]*", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def add_distributions(graph: Graph, node: URIRef, description: Description) -> None:
    """Nothing unless everybody may read the data."""
    archive = archive_url(description)
    if archive:
        _add_archive(graph, node, description, iri(archive))
    if description.publication.access_rights != "open" or not isinstance(description.record, DatasetRecord):
        return
    if description.record.file_count and not archive:
        _add_list(graph, node, description)
    for file in description.files[:FEW_FILES]:
        _add_file(graph, node, description, file)


def _add_archive(graph: Graph, node: URIRef, description: Description, archive: URIRef) -> None:
    add(
        graph,
        archive,
        (DCTERMS.title, text("All files in one archive")),
        (DCTERMS.description, text(_told_files(description))),
        (DCAT.packageFormat, _media_type(graph, ZIP)),
    )
    _add_distribution(graph, node, archive, description, ZIP)
    if isinstance(description.record, DatasetRecord):
        checksums = iri(f"{description.url}/files.sha256")
        add(graph, checksums, (RDF.type, FOAF.Document), (RDFS.label, text("Checksums of all files")))
        graph.add((archive, FOAF.page, checksums))


def _add_list(graph: Graph, node: URIRef, description: Description) -> None:
    """More than fits into an archive is downloaded by a list."""
    files = iri(f"{description.url}/files.aria2.txt")
    told = f"{_told_files(description)} With: aria2c --input-file=files.aria2.txt"
    add(graph, files, (DCTERMS.title, text("All files, as a list for aria2")), (DCTERMS.description, text(told)))
    _add_distribution(graph, node, files, description, "text/plain")


def _told_files(description: Description) -> str:
    count = description.record.file_count
    named = min(count, FEW_FILES, len(description.files))
    files = "1 file." if count == 1 else f"{count:,} files."
    return f"{files} {named} of them are named one by one." if 0 < named < count else files


def _add_file(graph: Graph, node: URIRef, description: Description, file: FileRef) -> None:
    distribution = iri(file_url(description.url, file.name))
    add(graph, distribution, (DCTERMS.title, text(file.name)))
    if file.size is not None:
        graph.add((distribution, DCAT.byteSize, whole_number(file.size)))
    if _SHA256.fullmatch(file.sha256):
        checksum = URIRef(f"{distribution}#sha256")
        value = Literal(file.sha256.lower(), datatype=XSD.hexBinary, normalize=False)
        add(
            graph,
            checksum,
            (RDF.type, SPDX.Checksum),
            (SPDX.algorithm, SPDX.checksumAlgorithm_sha256),
            (SPDX.checksumValue, value),
        )
        graph.add((distribution, SPDX.checksum, checksum))
    _add_distribution(graph, node, distribution, description, file.media_type)


def _add_distribution(
    graph: Graph, node: URIRef, distribution: URIRef, description: Description, media_type: str
) -> None:
    add(
        graph,
        distribution,
        (RDF.type, DCAT.Distribution),
        (DCAT.accessURL, node),
        (DCAT.downloadURL, distribution),
        (DCTERMS.license, licence_of(description)),
    )
    if _REGISTERED.fullmatch(media_type):
        graph.add((distribution, DCAT.mediaType, _media_type(graph, media_type)))
    elif media_type:
        unregistered = iri(f"{description.url}#format-{quote(media_type, safe='', errors='replace')}")
        add(graph, unregistered, (RDF.type, DCTERMS.MediaTypeOrExtent), (RDFS.label, text(media_type)))
        graph.add((distribution, DCTERMS["format"], unregistered))
    graph.add((node, DCAT.distribution, distribution))


def licence_of(description: Description) -> URIRef:
    licence = description.publication.licence
    return iri(licence.url or f"https://spdx.org/licenses/{licence.spdx_id}")


def _media_type(graph: Graph, name: str) -> URIRef:
    node = iri(MEDIA_TYPES + name)
    graph.add((node, RDF.type, DCTERMS.MediaType))
    return node
