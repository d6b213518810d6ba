"""The official schemas that outward forms are checked against, from a folder that is not part of this project."""

from functools import cache
from pathlib import Path

import pytest
from lxml import etree

FOLDER = Path(__file__).parents[3] / "../shared/conformance-schemas"
needs_schemas = pytest.mark.skipif(not FOLDER.is_dir(), reason="the official schemas are not on this machine")
_XML_NAMES = "http://www.w3.org/2001/03/xml.xsd"


class _NoNetwork(etree.Resolver):
    """`xml.xsd` from the folder instead of from w3.org."""

    def resolve(self, url, public_id, context):
        if url != _XML_NAMES:
            return None
        return self.resolve_filename(str(FOLDER / "datacite/kernel-4.7/include/xml.xsd"), context)


@cache
def schema(path: str) -> etree.XMLSchema:
    """The schema in that file of the folder, such as "oai/oai_dc.xsd"."""
    parser = etree.XMLParser()
    parser.resolvers.add(_NoNetwork())
    return etree.XMLSchema(etree.parse(FOLDER / path, parser))


def errors_of(path: str, document: bytes) -> list[str]:
    """What the schema has against a document."""
    checker = schema(path)
    checker.validate(etree.fromstring(document))
    return [error.message for error in checker.error_log]
