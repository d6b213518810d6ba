"""Which values of a file tell about a person or a private machine.

Such values are kept, marked, for the team; public metadata leave them out. When in doubt a value is private.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Matched against a name split into lower-case words: "UserName", "sv_user_name", "$CM_OPERATOR", "Session Info.Operator".
_PERSONAL_WORDS = frozenset(
    "operator operators username user users usertext usertextunicode userid author authors analyst owner experimenter"
    " experimenters investigator investigators scientist scientists affiliation artist copyright contact login orcid"
    " email mail phone telephone address gps latitude longitude"
    " host hostname computer computername machine workstation directory folder path"
    " serial serialnumber dnumber sn instrumentid".split()
)
# Words beside "user" that make it a setting of the machine rather than a name.
_SETTING_WORDS = frozenset(
    "mode max min align mag cal eht current unit units defined pressed button step offset level".split()
)
_PRIVATE_VALUE = re.compile(
    r"[A-Za-z]:[\\/]\w|\\\\[\w.-]+\\|(?:^|[\s\"'=(:])/(?!entry|sasentry|raw_data)[\w.-]+/[\w.-]"
    r"|[\w.+-]+@[\w-]+\.[\w.]{2,}|\b(?:User|Operator)\s*[=:]\s*\w",
)


def is_personal(name: str, value: object) -> bool:
    """Whether a value must stay out of public metadata, by its name or by what it looks like."""
    if not isinstance(value, float) and _is_personal_name(name):
        return True
    texts = value if isinstance(value, tuple) else (value,)
    return any(isinstance(text, str) and _PRIVATE_VALUE.search(text) is not None for text in texts)


@lru_cache(maxsize=8192)  # the names of a maker come again with every file
def _is_personal_name(name: str) -> bool:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = {*re.findall(r"[a-z]+", spaced.lower()), *re.findall(r"[a-z]+", name.lower())}
    return bool(words & _PERSONAL_WORDS) and not words & _SETTING_WORDS
