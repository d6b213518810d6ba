"""The periodic table as people draw it: eighteen columns, the lanthanides and actinides below. Names after IUPAC.

Places and names only; what a sample is made of is read by `search.analysis.elements`.
"""

from dataclasses import dataclass
from functools import cache

from search.analysis import ELEMENTS

_NAMES = (
    "hydrogen helium lithium beryllium boron carbon nitrogen oxygen fluorine neon sodium magnesium aluminium silicon"
    " phosphorus sulfur chlorine argon potassium calcium scandium titanium vanadium chromium manganese iron cobalt nickel"
    " copper zinc gallium germanium arsenic selenium bromine krypton rubidium strontium yttrium zirconium niobium"
    " molybdenum technetium ruthenium rhodium palladium silver cadmium indium tin antimony tellurium iodine xenon caesium"
    " barium lanthanum cerium praseodymium neodymium promethium samarium europium gadolinium terbium dysprosium holmium"
    " erbium thulium ytterbium lutetium hafnium tantalum tungsten rhenium osmium iridium platinum gold mercury thallium"
    " lead bismuth polonium astatine radon francium radium actinium thorium protactinium uranium neptunium plutonium"
    " americium curium berkelium californium einsteinium fermium mendelevium nobelium lawrencium rutherfordium dubnium"
    " seaborgium bohrium hassium meitnerium darmstadtium roentgenium copernicium nihonium flerovium moscovium livermorium"
    " tennessine oganesson"
).split()
# Where a period's elements stand: (lowest atomic number, row, column of that number).
_RUNS = (
    (1, 1, 1), (2, 1, 18), (3, 2, 1), (5, 2, 13), (11, 3, 1), (13, 3, 13), (19, 4, 1), (37, 5, 1), (55, 6, 1), (57, 8, 3),
    (72, 6, 4), (87, 7, 1), (89, 9, 3), (104, 7, 4),
)  # fmt: skip


@dataclass(frozen=True)
class Element:
    """`row` is 1 to 9, the last two being the lanthanides and actinides; `column` is 1 to 18."""

    number: int
    symbol: str
    name: str
    row: int
    column: int


@cache
def periodic_table() -> tuple[tuple[Element | None, ...], ...]:
    """Nine rows of eighteen places; None where no element stands."""
    rows: list[list[Element | None]] = [[None] * 18 for _ in range(9)]
    for number, (symbol, name) in enumerate(zip(ELEMENTS, _NAMES, strict=True), 1):
        first, row, column = next(run for run in reversed(_RUNS) if run[0] <= number)
        element = Element(number, symbol, name, row, column + number - first)
        rows[row - 1][element.column - 1] = element
    return tuple(tuple(row) for row in rows)


@cache
def element_name(symbol: str) -> str:
    """The English name of an element; the text itself where it is none."""
    return dict(zip(ELEMENTS, _NAMES, strict=True)).get(symbol, symbol)
