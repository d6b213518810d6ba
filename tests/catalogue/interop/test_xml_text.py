"""Text for XML: read back by a parser it is what was written, without what XML cannot hold."""

import sys

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from catalogue.interop.xml_text import NOT_IN_XML, elements, quoted, without_illegal


def test_every_character_is_kept_or_left_out_as_xml_has_it():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        assert without_illegal(character) == NOT_IN_XML.sub("", character)


@given(st.text())
def test_a_parser_reads_back_what_was_written(text):
    kept = without_illegal(text)
    element = etree.fromstring(f'<a b="{quoted(text)}">{elements("c", [text])}</a>'.encode())
    assert element.get("b") == kept
    assert (element.findtext("c") or "") == kept


def test_an_empty_text_makes_no_element():
    assert elements("dc:title", ["", "x"]) == "<dc:title>x</dc:title>"
