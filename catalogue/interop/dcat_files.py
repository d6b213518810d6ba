"""The distributions of DCAT-AP: where the bytes of open data are. Closed data have none. Pure.

A dataset may have 100,000 files. Its archive holds all of them and comes first; the first few files are named one by one,
with sizes and checksums, and the list of all checksums is named where there are more.
"""

import re
from urllib.parse import quote

from rdflib import DCTERMS, FOAF, RDF, RDFS, Graph, Literal, URIRef
from rdflib.namespace import XSD

from catalogue.interop.dcat_terms import DCAT, MEDIA_TYPES, SPDX, add, iri, text, whole_number
from catalogue.interop.description import Description
from catalogue.record import CollectionRecord, DatasetRecord, FileRef

MOST_FILES = 10
ZIP = "application/zip"
# Registered with IANA: types that begin with x- are not.
_REGISTERED = re.compile(r"(?:application|audio|font|image|model|text|video)/(?!x-)[a-z0-9][a-z0-9.+-]*", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def add_distributions(graph: Graph, node: URIRef, description: Description) -> None:
    """Nothing unless everybody may read the data."""
    record, folder = description.record, description.url
    if description.publication.access_rights != "open" or not record.file_count:
        return
    if isinstance(record, CollectionRecord):
        folder = f"{description.site.url}/collections/{record.uid}"
        if record.published_at is None:
            return
    _add_archive(graph, node, description, f"{folder}/download.zip")
    for file in description.files[:MOST_FILES]:
        _add_file(graph, node, description, file)


def _add_archive(graph: Graph, node: URIRef, description: Description, address: str) -> None:
    archive, count = iri(address), description.record.file_count
    named = min(count, MOST_FILES, len(description.files))
    rest = f" {named} of them are named one by one; the others are in the list of checksums." if named else ""
    files = "1 file" if count == 1 else f"{count:,} files"
    add(graph, archive, (DCTERMS.title, text("All files in one archive")))
    add(graph, archive, (DCTERMS.description, text(f"{files}.{rest if named < count else ''}")))
    add(graph, archive, (DCAT.packageFormat, _media_type(graph, ZIP)))
    _add_distribution(graph, node, archive, description, ZIP)
    if isinstance(description.record, DatasetRecord):
        checksums = iri(f"{description.url}/files.sha256")
        add(graph, checksums, (RDF.type, FOAF.Document), (RDFS.label, text("Checksums of all files")))
        graph.add((archive, FOAF.page, checksums))


def _add_file(graph: Graph, node: URIRef, description: Description, file: FileRef) -> None:
    distribution = iri(f"{description.url}/files/{quote(file.name, errors='replace')}")
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
