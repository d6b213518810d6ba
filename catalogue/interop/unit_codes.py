"""UN/CEFACT common codes (Recommendation 20) of the SI units in which values are kept; only those that it has."""

_CODES = {
    "m": "MTR",
    "m^2": "MTK",
    "m^3": "MTQ",
    "1/m": "C92",
    "s": "SEC",
    "1/s": "C97",
    "kg": "KGM",
    "A": "AMP",
    "V": "VLT",
    "W": "WTT",
    "J": "JOU",
    "Pa": "PAL",
    "K": "KEL",
    "mol": "C34",
    "mol/m^3": "C36",
    "kg/m^3": "KMQ",
    "T": "D33",
    "C": "COU",
    "V/m": "D50",
    "ohm": "OHM",
    "N": "NEW",
    "m/s": "MTS",
    "rad": "C81",
    "rad/s": "2A",
    "sr": "D27",
    "px": "E37",
}


def unit_code(unit_si: str) -> str:
    """The code of a unit as `catalogue/units.py` writes it; empty where there is none."""
    return _CODES.get(unit_si, "")
