"""How the pages write sizes, times, quantities and links."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from django.http import QueryDict

from catalogue.record import ParameterValue
from catalogue.templatetags import faircat


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "size unknown"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1536, "1.50 KiB"),
        (10 * 1024, "10.0 KiB"),
        (1024**2 - 1, "1.00 MiB"),
        (300 * 1024**3, "300 GiB"),
        (5 * 1024**6, "5.00 EiB"),
        (5000 * 1024**6, "5000 EiB"),
    ],
)
def test_sizes_are_written_in_binary_units_with_three_digits(size, text):
    assert faircat.size(size) == text


def test_a_moment_is_written_with_its_zone():
    written = faircat.moment(datetime(2029, 5, 3, 16, 5, tzinfo=timezone(timedelta(hours=2))))
    assert written == '<time datetime="2029-05-03T14:05:00+00:00">3 May 2029, 14:05 UTC</time>'


def test_days_are_written_in_words_and_missing_ones_as_nothing():
    assert faircat.day(date(2029, 5, 3)) == '<time datetime="2029-05-03">3 May 2029</time>'
    assert faircat.day(None) == faircat.moment(None) == ""


def test_files_whose_sizes_nobody_stated_are_not_called_empty():
    records = [SimpleNamespace(file_count=files, size=size) for files, size in ((2, 0), (0, 0), (1, 2048))]
    assert [faircat.measured_size(record) for record in records] == ["size not measured yet", "0 B", "2.00 KiB"]


def test_a_changed_query_keeps_the_canonical_order_and_starts_at_the_first_page():
    query = QueryDict("view=grid&cursor=abc&technique=sem&q=wire&access=")
    assert faircat.query_with(query, sort="oldest") == "?q=wire&technique=sem&sort=oldest&view=grid"
    assert faircat.query_with(query, view=None) == "?q=wire&technique=sem"
    assert faircat.query_with(query, cursor="def") == "?q=wire&technique=sem&view=grid&cursor=def"


def test_two_spellings_of_one_query_have_one_address():
    one, other = QueryDict("format=b&format=a&q=x"), QueryDict("q=x&format=a&format=b")
    assert faircat.canonical_query(one) == faircat.canonical_query(other)


def test_json_ld_cannot_be_closed_by_a_title():
    title = "</script><script>alert(1)</script> & <!--"
    element = faircat.json_ld({"name": title})
    assert element.count("<") == 2
    body = element.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert json.loads(body) == {"name": title}


def parameter(name: str, text: str, unit: str = "", **fields) -> ParameterValue:
    values = {"group": "", "kind": "text", "value": None, "value_si": None, "unit_si": "", "date": None, "items": ()}
    values |= {"source": "instrument", "is_corrected": False}
    return ParameterValue(name=name, text=text, unit=unit, **(values | fields))


def only_row(value: ParameterValue) -> faircat.ParameterRow:
    return faircat.parameter_groups([value])[0].rows[0]


def test_a_standard_quantity_is_shown_in_a_usual_unit():
    row = only_row(
        parameter("working_distance", "0.0081", "m", kind="number", value=0.0081, value_si=0.0081, unit_si="m")
    )
    assert (row.label, row.text, row.as_given) == ("Working distance", "8.1\xa0mm", "")


def test_what_the_instrument_wrote_stands_beside_a_value_that_is_shown_with_fewer_digits():
    row = only_row(
        parameter("wavelength", "0.97625353", "Å", kind="number", value=0.97625353, value_si=9.7625353e-11, unit_si="m")
    )
    assert (row.text, row.as_given) == ("0.9763\xa0Å", "0.97625353 Å")


def test_a_moment_without_a_zone_is_shown_beside_how_it_was_read():
    read_as = datetime(2019, 7, 18, 7, 42, tzinfo=UTC)
    with_zone = only_row(parameter("start_time", "2019-07-18T09:42:00+02:00", kind="date", date=read_as))
    without = only_row(parameter("start_time", "2019-07-18T09:42:00", kind="date", date=read_as))
    assert (with_zone.as_given, without.as_given) == ("", "2019-07-18T09:42:00")


def test_vendor_values_stay_as_they_were_written_in_a_group_of_their_own_at_the_end():
    vendor = parameter(
        "AP_AGE", "12213.4", "Hours", group="Zeiss", kind="number", value=12213.4, value_si=4.4e7, unit_si="s"
    )
    groups = faircat.parameter_groups([vendor, parameter("detector", "InLens")])
    assert [(group.title, group.is_vendor) for group in groups] == [("Detector", False), ("Zeiss", True)]
    assert groups[1].rows[0].text == "12213.4 Hours"


def test_the_time_of_a_value_is_shown_with_its_zone():
    row = only_row(
        parameter("start_time", "2019-07-18T09:42:00Z", kind="date", date=datetime(2019, 7, 18, 9, 42, tzinfo=UTC))
    )
    assert row.text == "18 July 2019, 09:42:00 UTC"


def test_a_plain_number_is_written_without_needless_digits():
    row = only_row(parameter("magnification", "47440.0", kind="number", value=47440.0, value_si=47440.0))
    assert (row.text, row.as_given) == ("47\N{NARROW NO-BREAK SPACE}440", "")


def length(name: str, metres: float) -> ParameterValue:
    return parameter(name, str(metres), "m", kind="number", value=metres, value_si=metres, unit_si="m")


def test_a_scale_bar_belongs_to_pictures_and_not_to_curves():
    columns = parameter("image_width", "1024", "px", kind="number", value=1024.0, value_si=1024.0, unit_si="px")
    assert float(faircat.picture_width([length("pixel_size_x", 5e-9), columns])) == pytest.approx(5.12e-6)
    assert float(faircat.picture_width([length("field_of_view", 2e-6), columns])) == pytest.approx(2e-6)
    assert faircat.picture_width([length("field_of_view", 2e-6)]) == ""
