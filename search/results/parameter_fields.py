"""The numeric parameters beside an answer: two bounds, a unit, and where it is drawn a histogram.

Values for templates, made from an answer; nothing here asks the engine.
"""

import re
from dataclasses import dataclass, replace

from catalogue import units
from search.backends.base import Range
from search.question.parameters import display_unit_of, key_of, label_of, number_text, units_for
from search.question.query import PARAMETER_PREFIX, Histogram, Query
from search.results.asking import Answer
from search.results.charts import Chart, chart_of_numbers
from search.results.chips import address

SCALE = ("pixel_size_x", "field_of_view")
USUAL = ("accelerating_voltage",)
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class ParameterField:
    """`low` and `high` are numbers in `unit` as text; `was` is the range as it stands in the address.

    `told` says where the values lie that could be chosen; `is_drawn` whether a histogram was asked for, `chart` being None
    where no dataset has a value. `draw_url` draws the histogram, or takes it away.
    """

    name: str
    slug: str
    label: str
    low: str
    high: str
    unit: str
    units: tuple[str, ...]
    was: str = ""
    told: str = ""
    is_drawn: bool = False
    draw_url: str = ""
    chart: Chart | None = None

    @property
    def low_id(self) -> str:
        return f"p-{self.slug}-from"

    @property
    def high_id(self) -> str:
        return f"p-{self.slug}-to"


def scale_fields(answer: Answer) -> list[ParameterField]:
    """How large what an image shows is."""
    return [parameter_field(answer, name) for name in SCALE]


def other_fields(answer: Answer) -> list[ParameterField]:
    """What people mostly ask for, and all parameters of this query."""
    query = answer.query
    own = (*(one.name for one in query.ranges), *(one.name for one in query.histograms))
    return [parameter_field(answer, name) for name in dict.fromkeys((*USUAL, *own)) if name not in SCALE]


def parameter_field(answer: Answer, name: str) -> ParameterField:
    query, facet = answer.query, PARAMETER_PREFIX + name
    wanted = query.range_of(name)
    drawn = next((one for one in query.histograms if one.name == name), None)
    key = wanted.key if wanted else key_of(name, drawn.unit if drawn else "")
    axis = answer.axes.get(facet)
    interval = wanted.interval if wanted else None
    unit = interval.unit if interval else axis.unit if axis else display_unit_of(name)
    label = label_of(name)
    return ParameterField(
        name=name,
        slug=_NOT_IN_ID.sub("-", name).strip("-").lower(),
        label=label,
        low=number_text(interval.low) if interval else "",
        high=number_text(interval.high) if interval else "",
        unit=unit,
        units=tuple(units_for(name, unit)),
        was=interval.text() if interval else "",
        told=_told(answer.found.ranges.get(facet), key.rpartition("|")[2]),
        is_drawn=bool(wanted or drawn),
        draw_url="" if wanted else _draw_url(query, name),
        chart=chart_of_numbers(axis, answer.found.bins.get(facet, ()), interval, label) if axis else None,
    )


def _draw_url(query: Query, name: str) -> str:
    others = tuple(one for one in query.histograms if one.name != name)
    is_drawn = len(others) < len(query.histograms)
    return address(replace(query, histograms=others if is_drawn else (*others, Histogram(name)), cursor=""))


def _told(found: Range | None, unit_si: str) -> str:
    if found is None:
        return ""
    if found.low is None or found.high is None:
        return "No dataset among these has it as a number."
    low, high = (units.format_quantity(value, unit_si) for value in (found.low, found.high))
    number = f"{found.count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{number} with values from {low} to {high}" if found.low != found.high else f"{number} with {low}"
