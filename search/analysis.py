"""Text into tokens, the same when a document is written and when a question is asked, so that engines split at spaces only.

Case, accents and ligatures are folded, subscripts are digits, a single Greek letter is its name, and all that is no letter
or digit parts two tokens: α-Fe₂O₃, alpha-Fe2O3 and "Alpha Fe2O3" are `alpha fe2o3`. Plurals are folded by a few rules of
our own: a stemmer for English text would cut formulae (GaAs, InAs), acronyms (EELS, SAXS) and names, and merges words that
scientists tell apart (organ, organic). No engine and no Django here.
"""

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache

LONGEST_TEXT = 100_000
LONGEST_TOKEN = 64
LONGEST_IDENTIFIER = 500
MOST_IDENTIFIER_TOKENS = 24
LONGEST_FORMULA = 200
TITLE_BYTES = 120

# What Unicode's compatibility decomposition leaves as it is, or opens into something else than people mean.
_FOLDS = str.maketrans(
    {
        **dict(zip("ßæÆœŒøØłŁđĐðÐþÞıµ", "ss ae AE oe OE o O l L d D d D th TH i μ".split(), strict=True)),
        **dict.fromkeys("™®©\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
        **dict.fromkeys("‐‑‒–—−⁻₋", "-"),
        "ϵ": "ε",
        "ϑ": "θ",
        "ϕ": "φ",
    }
)
_GREEK_NAMES = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψω",
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi"
        " psi omega".split(),
        strict=True,
    )
)
_MICRO_WORD = re.compile(r"μ-?(?=[A-Z]{2})")
_MICRO_UNIT = re.compile(r"μ(?=[A-Za-z])")
_ANGSTROM = re.compile(r"(?<![^\W\d_])(?:[\u00c5\u212b]|A\u030a)(?![^\W\d_])")
_MARKS = re.compile(r"[\u0300-\u036f]+")
_GREEK_LETTER = re.compile(r"(?<![α-ω])[α-ω](?![α-ω])")
_PREFIXES = "nano|micro|meso|macro|multi|mono|poly|photo|electro|thermo|bio|hetero|semi|super|ultra|non|sub|anti|pre"
_PREFIX = re.compile(rf"(?<![^\W_])({_PREFIXES})-(?=[^\W\d_]{{2}})")
_TOKEN = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"[0-9]+")
_NUMBER_WITH_UNIT = re.compile(
    r"(\d+)([pnumc]?m|[munpk]?[sva]|[mkg]?ev|[kmg]?hz|[kmg]?pa|m?bar|torr|[munk]?g|[mu]?l|[mu]?w|[mu]?t|k|h|min|deg|px|theta)"
)


def indexed(text: str) -> str:
    """The tokens of `text`, joined by single spaces: what a text field of the index holds."""
    chunks = text[:LONGEST_TEXT].split()
    tokens = [_tokens_of(chunk) if len(chunk) <= LONGEST_TOKEN else _tokens_in(chunk) for chunk in chunks]
    return " ".join(filter(None, tokens))


def words(text: str) -> list[str]:
    """The tokens of `text` in their order."""
    return indexed(text).split()


def folded_word(text: str) -> str:
    """A word or the beginning of one, folded but not made singular; "" where it is none or more than one."""
    tokens = _TOKEN.findall(_folded(text[:LONGEST_TOKEN]))
    return tokens[0] if len(tokens) == 1 else ""


def _folded(text: str) -> str:
    """Lower case without accents; Greek words stay Greek, a Greek letter that stands alone becomes its name."""
    if text.isascii():
        return text.lower()
    text = _ANGSTROM.sub(" angstrom ", text).translate(_FOLDS)
    if "μ" in text:
        text = _MICRO_UNIT.sub("u", _MICRO_WORD.sub("micro", text))
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).lower().replace("ς", "σ")
    return text if text.isascii() else _GREEK_LETTER.sub(lambda match: f" {_GREEK_NAMES[match[0]]} ", text)


# Singulars that look like plurals, and plurals that no rule makes.
_UNCHANGED = frozenset(
    "atlas always bias canvas eels exafs gas lens mathematics nexafs perhaps physics series sims species xanes arpes".split()
)
_SINGULARS = {
    "analyses": "analysis", "axes": "axis", "bases": "base", "biases": "bias", "gases": "gas", "indices": "index",
    "lenses": "lens", "matrices": "matrix", "nuclei": "nucleus", "spectra": "spectrum", "syntheses": "synthesis",
    "vertices": "vertex", "xray": "x ray", "xrays": "x ray",
}  # fmt: skip
_ARSENIDE_OR_SULPHIDE = re.compile(r"(?:al|ba|cd|fe|ga|in|la|mn|nb|ni|ta|zn)+as|(?:ag|cd|cu|fe|in|mo|pb|sn|zn){2,}s")


def _tokens_in(chunk: str) -> str:
    """The tokens of a text without spaces in it, joined by spaces."""
    folded = _folded(chunk)
    if folded.isascii() and folded.isalnum():
        return _normal(folded)
    if "-" in folded:
        folded = _PREFIX.sub(r"\1", folded)
    return " ".join(map(_normal, _TOKEN.findall(folded)))


_tokens_of = lru_cache(maxsize=131_072)(_tokens_in)


def _normal(token: str) -> str:
    """A folded token as it stands in the index: singular, cut where it is too long, "10kv" as the two that it is."""
    if token.isdigit():
        return token[:LONGEST_TOKEN]
    if token.isalpha():
        return _singular(token)[:LONGEST_TOKEN]
    match = _NUMBER_WITH_UNIT.fullmatch(token)
    return f"{match[1][:LONGEST_TOKEN]} {match[2]}" if match else token[:LONGEST_TOKEN]


def _singular(word: str) -> str:
    """Wires as wire, batteries as battery, boxes as box; and cache as cach, since caches looks like patches."""
    if word in _SINGULARS:
        return _SINGULARS[word]
    if len(word) < 4 or word in _UNCHANGED or word.endswith(("ss", "us", "is", "xs")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    if word.endswith(("che", "she", "xe", "sse")):
        return word[:-1]
    if word.endswith("s") and not _ARSENIDE_OR_SULPHIDE.fullmatch(word):
        return word[:-1]
    return word


_RUN = re.compile(r"[^\W\d_]+|\d+")
_YEAR_OF_DAY = r"(?<![^-])(?:19|20)\d\d(?=(?:0[1-9]|1[0-2])[0-3]\d(?![^-]))"
_BOUNDARY = re.compile(f"-|{_YEAR_OF_DAY}")


def identifier(text: str) -> str:
    """An id, number, DOI or name of a file as it is compared: its parts joined by hyphens.

    Parts end at whatever is no letter or digit and where letters turn to digits or back, so that `MX-2345`, `mx2345` and
    `MX_2345` are one.
    """
    return "-".join(_RUN.findall(_folded(text[:LONGEST_IDENTIFIER])))


def identifier_tokens(text: str) -> list[str]:
    """What finds an id: the whole, each part between separators, and the rest from each part on.

    With a `Prefix` any run that begins at a part is found: of `20210906-46` these are 2021090, 0906-46 (a day begins a
    part after its year) and 46; of `scans/IMG_0001.tif` img_00, 0001 and 0001.tif. The middle of a part is not.
    At most MOST_IDENTIFIER_TOKENS, where it is cut the end of a long path rather than its middle.
    """
    parts = ["-".join(_RUN.findall(part)) for part in _TOKEN.findall(_folded(text[:LONGEST_IDENTIFIER]))]
    whole = "-".join(parts)
    ends = [whole[match.end() :] for match in _BOUNDARY.finditer(whole)]
    tokens = dict.fromkeys([whole, *parts, *reversed(ends)])
    return [token for token in tokens if len(token) > 1 or token == whole][:MOST_IDENTIFIER_TOKENS] if whole else []


_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru"
    " Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At"
    " Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
).split()
ELEMENTS = tuple(_SYMBOLS)
_SYMBOL = "|".join(sorted((*_SYMBOLS, "D"), key=len, reverse=True))
# Beside symbols: numbers, brackets, charges, dots of hydrates, what joins substances, and letters for unknown amounts.
_FORMULA = re.compile(rf"(?>{_SYMBOL}|(?<![A-Za-z])(?:on|and)(?![A-Za-z])|[\d\s.,:;/@()\[\]{{}}+*·•∙⋅^_=-]|[xyznδ])++")
_SYMBOL_IN_FORMULA = re.compile(rf"{_SYMBOL}|on|and")


def elements(formula: str) -> list[str]:
    """The symbols in a chemical formula, each once, in their order; none where it is not one from end to end.

    Deuterium counts as hydrogen.
    """
    text = formula.strip()[:LONGEST_FORMULA].translate(_FOLDS)
    text = unicodedata.normalize("NFKD", text)
    if not _FORMULA.fullmatch(text):
        return []
    found = (match[0] for match in _SYMBOL_IN_FORMULA.finditer(text))
    return list(dict.fromkeys("H" if symbol == "D" else symbol for symbol in found if symbol not in ("on", "and")))


_CHUNK = re.compile(rf"(?i:(?<![^\W_])(?:{_PREFIXES})[-\u2010\u2011])?[^\W_][^\W_\u0300-\u036f]*[\u0300-\u036f\w]*")


def highlight(text: str, tokens: Iterable[str]) -> list[tuple[int, int]]:
    """Where in `text` the words are that become one of `tokens`, as (start, end), ascending.

    A token may hold * (any text) and ? (one character).
    """
    wanted = [translate(token) for token in tokens if token]
    if not wanted or not text:
        return []
    pattern = re.compile("|".join(wanted))
    found = []
    for chunk in re.finditer(_CHUNK, text[:LONGEST_TEXT]):
        if any(pattern.match(word) for word in words(chunk[0])):
            found.append(chunk.span())
    return found


def title_order(tokens: str, key: int) -> str:
    """Sorts as titles do, up to TITLE_BYTES bytes of them, "2" before "10"; among equals by the primary key.

    The key is behind a byte that no token has and that sorts before all of them.
    """
    natural = _DIGITS.sub(lambda digits: digits[0].lstrip("0").zfill(12), tokens)
    return f"{natural.encode()[:TITLE_BYTES].hex()}1f{key:016x}"
