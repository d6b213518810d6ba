"""Croissant 1.1 of labelled images: what a program that learns from them reads, with every label in the document. Pure.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html. The images lie in the archive that anybody who may
have them downloads; its bytes change when a label does, so that it is a live dataset whose archive has no fixed checksum,
while each image has its own.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from catalogue.downloads.limits import is_one_archive
from catalogue.interop.bibtex import bibtex_of
from catalogue.interop.description import MOST_IMAGES, Description
from catalogue.interop.schema_org_publication import without_empty
from catalogue.publication import Creator
from catalogue.record import CollectionRecord, InvestigationRecord, LabelledImage

PROFILE = "http://mlcommons.org/croissant/1.1"
CATEGORY = "category"
ARCHIVE, IMAGES, LABELS, CATEGORIES, SPLITS = "archive", "image-files", "labels", "categories", "splits"
UNKNOWN_TYPE = "application/octet-stream"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_SPLIT_IRIS = {"train": "cr:TrainingSplit", "validation": "cr:ValidationSplit", "test": "cr:TestSplit"}
# The columns of the table of labels: name, data type, what it says.
_COLUMNS = (
    ("file", "sc:Text", "The path of the image within the archive."),
    ("label", "sc:Text", "What the image shows."),
    ("confidence", "sc:Float", "How sure a model is, from 0 to 1; empty where a person alone says so."),
    ("verified", "sc:Boolean", "Whether a person said that the label is right."),
    ("sha256", "sc:Text", "The SHA-256 of the image, where it is known."),
    ("url", "sc:URL", "Where the image alone is downloaded."),
)
_SPLIT_COLUMN = ("split", "sc:Text", "The part of the images that it was put into for learning.")


def is_image_set(description: Description) -> bool:
    """Whether it holds images with a category that its reader may see, and gives all of them in one archive.

    The page of a dataset, which reads no images, knows it by the labels.
    """
    record = description.record
    if isinstance(record, InvestigationRecord):
        return False
    if isinstance(record, CollectionRecord):
        is_whole = is_one_archive(file_count=record.file_count, dataset_count=record.dataset_count)
        return is_whole and bool(description.images)
    is_labelled = bool(description.images) or any(one.kind == CATEGORY for one in record.annotations)
    return is_labelled and is_one_archive(file_count=record.file_count)


def croissant(description: Description) -> dict[str, Any]:
    """The document of a dataset or collection for which `is_image_set` is true, with the labels of its first MOST_IMAGES."""
    images, publication = description.images, description.publication
    text = publication.text
    version = (
        description.record.number if isinstance(description.record, CollectionRecord) else description.record.version
    )
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": PROFILE,
        "name": text.title,
        "description": _description(description),
        "url": publication.url,
        "sameAs": publication.doi_url,
        "identifier": publication.doi_url or f"urn:uuid:{description.record.uid}",
        "version": f"{version}.0.0",
        "license": publication.licence.url or f"https://spdx.org/licenses/{publication.licence.spdx_id}",
        "creator": [_agent(creator) for creator in text.creators],
        "publisher": _organisation(publication.publisher_name, publication.publisher_ror),
        "keywords": [subject.term for subject in text.subjects],
        "datePublished": next((one.value for one in publication.dates if one.date_type in ("Issued", "Available")), ""),
        "dateModified": description.record.updated_at.date().isoformat(),
        "citeAs": bibtex_of(publication),
        "isLiveDataset": True,
        "distribution": [_archive(description), _file_set(images)],
        "recordSet": _record_sets(description),
    }
    return without_empty(document)


def _description(description: Description) -> str:
    text = description.publication.text
    note = (
        f" The labels of the first {MOST_IMAGES:,} images are given." if len(description.images) >= MOST_IMAGES else ""
    )
    return f"{text.abstract or text.title}{note}"


def _agent(agent: Creator) -> dict[str, Any]:
    if agent.is_organisation:
        return _organisation(agent.name, agent.ror)
    return without_empty(
        {
            "@type": "Person",
            "name": agent.display_name,
            "url": f"https://orcid.org/{agent.orcid}" if agent.orcid else "",
        }
    )


def _organisation(name: str, ror: str) -> dict[str, Any]:
    return without_empty({"@type": "Organization", "name": name, "url": ror})


def _archive(description: Description) -> dict[str, Any]:
    record = description.record
    folder = f"/collections/{record.uid}" if isinstance(record, CollectionRecord) else record.path
    return {
        "@type": "cr:FileObject",
        "@id": ARCHIVE,
        "name": "All files as ZIP",
        "contentUrl": f"{description.site.url}{folder}/download.zip",
        "encodingFormat": "application/zip",
    }


def _file_set(images: Sequence[LabelledImage]) -> dict[str, Any]:
    endings = {PurePosixPath(image.path).suffix for image in images}
    return {
        "@type": "cr:FileSet",
        "@id": IMAGES,
        "name": "Images",
        "containedIn": {"@id": ARCHIVE},
        "encodingFormat": sorted({image.media_type or UNKNOWN_TYPE for image in images}),
        "includes": sorted(f"*{ending}" for ending in endings),
    }


def _record_sets(description: Description) -> list[dict[str, Any]]:
    images = description.images
    has_splits = any(image.split for image in images)
    columns = (*_COLUMNS, _SPLIT_COLUMN) if has_splits else _COLUMNS
    sets = [_names(CATEGORIES, "sc:Enumeration", [{"name": label} for label in sorted({one.label for one in images})])]
    if has_splits:
        named = sorted({image.split for image in images})
        sets.append(_names(SPLITS, "cr:Split", [{"name": one, "url": _SPLIT_IRIS.get(one, "")} for one in named]))
    labels = {
        "@type": "cr:RecordSet",
        "@id": LABELS,
        "name": "Labels",
        "description": "What each image is said to show, by a model or a person.",
        "key": {"@id": f"{LABELS}/file"},
        "field": [_column(*column) for column in columns],
        "data": [_row(image, [name for name, _, _ in columns], description.site.url) for image in images],
    }
    return [*sets, labels, _images(columns)]


def _names(identifier: str, data_type: str, data: list[dict[str, str]]) -> dict[str, Any]:
    """A set of names, to which the table of labels refers."""
    return {
        "@type": "cr:RecordSet",
        "@id": identifier,
        "name": identifier.capitalize(),
        "dataType": data_type,
        "key": {"@id": f"{identifier}/name"},
        "field": [
            {"@type": "cr:Field", "@id": f"{identifier}/{name}", "name": name, "dataType": _type_of(name)}
            for name in data[0]
        ],
        "data": [{f"{identifier}/{name}": value for name, value in row.items()} for row in data],
    }


def _type_of(name: str) -> str:
    return "sc:URL" if name == "url" else "sc:Text"


def _column(name: str, data_type: str, about: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{LABELS}/{name}",
        "name": name,
        "description": about,
        "dataType": data_type,
    }


def _row(image: LabelledImage, columns: Sequence[str], site_url: str) -> dict[str, Any]:
    values = {
        "file": image.path,
        "label": image.label,
        "confidence": image.confidence,
        "verified": image.is_verified,
        "sha256": image.sha256,
        "url": site_url + image.address,
        "split": image.split,
    }
    return {f"{LABELS}/{name}": values[name] for name in columns}


def _images(columns: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """The records to learn from: each image of the archive joined with its line in the table of labels."""
    image = {
        "@type": "cr:Field",
        "@id": "images/image",
        "name": "image",
        "description": "The image itself.",
        "dataType": "sc:ImageObject",
        "source": {"fileSet": {"@id": IMAGES}, "extract": {"fileProperty": "content"}},
    }
    file = {
        "@type": "cr:Field",
        "@id": "images/file",
        "name": "file",
        "description": _COLUMNS[0][2],
        "dataType": "sc:Text",
        "source": {"fileSet": {"@id": IMAGES}, "extract": {"fileProperty": "fullpath"}},
        "references": {"field": {"@id": f"{LABELS}/file"}},
    }
    joined = [_joined(*column) for column in columns[1:]]
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "Images with their labels",
        "key": {"@id": "images/file"},
        "field": [image, file, *joined],
    }


def _joined(name: str, data_type: str, about: str) -> dict[str, Any]:
    target = {"label": CATEGORIES, "split": SPLITS}.get(name)
    return without_empty(
        {
            "@type": "cr:Field",
            "@id": f"images/{name}",
            "name": name,
            "description": about,
            "dataType": "cr:Split" if name == "split" else data_type,
            "source": {"field": {"@id": f"{LABELS}/{name}"}},
            "references": {"field": {"@id": f"{target}/name"}} if target else None,
        }
    )
