"""What the templates, the style sheet and the scripts promise: the content policy, no other host, a budget, readable contrast."""

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STYLE_SHEET = ROOT / "static" / "css" / "faircat.css"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
BUDGET = 60 * 1024

LOADED_FROM_ELSEWHERE = re.compile(
    r"""<(?:script|link|img|iframe|source|object)[^>]*\b(?:src|href)=["']?(?:https?:)?//"""
)
EXECUTED_INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/(?:ld\+)?json\")", re.IGNORECASE)
EVENT_ATTRIBUTE = re.compile(r"""<[^>]*\son[a-z]+\s*=""", re.IGNORECASE)
STYLE_ATTRIBUTE = re.compile(r"""<[^>]*\sstyle\s*=|<style\b""", re.IGNORECASE)
IDENTIFIED_CONTROL = re.compile(r"""<(?:input|select|textarea)\b[^>]*>""")


def faults(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in TEMPLATES:
        text = path.read_text()
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    return found


@pytest.mark.parametrize(
    "pattern", [EXECUTED_INLINE, EVENT_ATTRIBUTE, STYLE_ATTRIBUTE], ids=["script", "event", "style"]
)
def test_no_template_holds_what_the_content_policy_would_refuse(pattern):
    assert faults(pattern) == []


def test_no_template_loads_anything_from_another_host():
    assert faults(LOADED_FROM_ELSEWHERE) == []


def test_no_style_sheet_or_script_of_ours_names_another_host():
    for path in [STYLE_SHEET, *SCRIPTS]:
        assert not re.search(r"https?://", path.read_text()), path


def test_every_visible_input_of_our_own_templates_has_an_id_so_that_a_swap_keeps_the_focus():
    ours = [fault for fault in faults(IDENTIFIED_CONTROL) if "templates/allauth" not in fault]
    visible = [fault for fault in ours if 'type="hidden"' not in fault]
    assert [fault for fault in visible if " id=" not in fault] == []


def test_style_sheet_htmx_and_our_scripts_stay_within_60_kb_gzipped():
    files = [STYLE_SHEET, ROOT / "static" / "vendor" / "htmx" / "htmx.min.js", *SCRIPTS]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= BUDGET


def tokens() -> dict[str, dict[str, str]]:
    """The colours of the light and the dark theme by name."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE_SHEET.read_text(), re.DOTALL)
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block)) for block in blocks[:2])
    return {"light": light, "dark": light | dark}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


TEXT_ON = [
    *[(text, ground) for text in ("ink", "soft", "accent") for ground in ("paper", "card", "sunk", "tint")],
    ("on-accent", "accent"),
    ("stop", "paper"),
    ("stop", "card"),
    ("stop", "wait-tint"),
    *[(state, f"{state}-tint") for state in ("open", "wait", "stop")],
    *[(text, f"{state}-tint") for text in ("ink", "soft") for state in ("open", "wait", "stop")],
    ("accent", "wait-tint"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_has_a_contrast_of_at_least_4_5_in_both_themes(theme, text, ground):
    colours = tokens()[theme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "card"])
@pytest.mark.parametrize("part", ["edge", "accent"])
def test_the_edges_of_controls_have_a_contrast_of_at_least_3_in_both_themes(theme, part, ground):
    colours = tokens()[theme]
    assert contrast(colours[part], colours[ground]) >= 3
