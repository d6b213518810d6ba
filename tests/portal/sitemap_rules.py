"""The schemas of sitemaps.org, restated (sitemap.xsd and siteindex.xsd, version 0.9), and reading of what keeps to them."""

import gzip

from django.http.response import HttpResponseBase
from lxml import etree

NAMESPACE = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
_TYPES = """
  <xsd:simpleType name="tLoc">
    <xsd:restriction base="xsd:anyURI"><xsd:minLength value="12"/><xsd:maxLength value="2048"/></xsd:restriction>
  </xsd:simpleType>
  <xsd:simpleType name="tLastmod">
    <xsd:union>
      <xsd:simpleType><xsd:restriction base="xsd:date"/></xsd:simpleType>
      <xsd:simpleType><xsd:restriction base="xsd:dateTime"/></xsd:simpleType>
    </xsd:union>
  </xsd:simpleType>
"""


def _schema(root: str, item: str) -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.fromstring(f"""
<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE["s"]}"
    xmlns="{NAMESPACE["s"]}" elementFormDefault="qualified">
  {_TYPES}
  <xsd:element name="{root}"><xsd:complexType><xsd:sequence>
    <xsd:element name="{item}" maxOccurs="unbounded"><xsd:complexType><xsd:sequence>
      <xsd:element name="loc" type="tLoc"/><xsd:element name="lastmod" type="tLastmod" minOccurs="0"/>
    </xsd:sequence></xsd:complexType></xsd:element>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>""")
    )


SCHEMAS = {"urlset": _schema("urlset", "url"), "sitemapindex": _schema("sitemapindex", "sitemap")}


def read_sitemap(response: HttpResponseBase, root: str) -> dict[str, str]:
    """The addresses of a valid list or index (`root` says which) with their `lastmod`."""
    assert response.status_code == 200
    content = b"".join(response.streaming_content)
    content = gzip.decompress(content) if response.get("Content-Encoding") == "gzip" else content
    assert len(content) < 50_000_000
    tree = etree.fromstring(content)
    SCHEMAS[root].assertValid(tree)
    assert tree.tag == f"{{{NAMESPACE['s']}}}{root}"
    found = {item.findtext("s:loc", None, NAMESPACE): item.findtext("s:lastmod", None, NAMESPACE) for item in tree}
    assert len(found) == len(tree) <= 50_000
    return found
