"""A data policy in plain words, for the page that everybody may read. Pure: nothing here runs a query."""

from dataclasses import dataclass

from catalogue.models import Facility, Instrument, Licence
from catalogue.models.facilities import EmbargoMetadata, SessionDoi
from catalogue.policy import Policy, policy_of

SEEN = {
    EmbargoMetadata.SUMMARY: (
        "Until then everyone reads a summary: title, abstract, team, instrument, technique, dates, sizes, and the day on "
        "which the data open. No metadata values, no file names, no pictures."
    ),
    EmbargoMetadata.FULL: "Until then everyone reads the metadata, but not the files.",
    EmbargoMetadata.NONE: "Until then nobody outside the team learns that the data exist.",
}
DOI = {
    SessionDoi.START: "Each investigation gets a DOI when it starts.",
    SessionDoi.END: "Each investigation gets a DOI when it ends.",
    SessionDoi.FIRST_DATASET: "Each investigation gets a DOI with its first dataset.",
}


@dataclass(frozen=True)
class PolicyText:
    """What a facility promises, and in `exceptions` what some of its instruments promise instead."""

    name: str
    sentences: tuple[str, ...]
    exceptions: tuple["PolicyText", ...] = ()


def policy_text(facility: Facility) -> PolicyText:
    """`facility` comes with its licence and its instruments with theirs fetched."""
    general = sentences_of(policy_of(facility), facility.default_licence)
    exceptions = []
    for instrument in facility.instruments.all():
        differing = _differing(instrument, facility, general)
        if differing:
            exceptions.append(PolicyText(instrument.name, differing))
    return PolicyText(facility.name, general, tuple(exceptions))


def _differing(instrument: Instrument, facility: Facility, general: tuple[str, ...]) -> tuple[str, ...]:
    licence = instrument.default_licence or facility.default_licence
    own = sentences_of(policy_of(facility, instrument), licence)
    return tuple(sentence for sentence in own if sentence not in general)


def sentences_of(policy: Policy, licence: Licence) -> tuple[str, ...]:
    """One sentence or two for each thing that a policy says, always in the same order."""
    return (
        _opening(policy),
        SEEN[EmbargoMetadata(policy.embargo_metadata)],
        _extension(policy),
        DOI[SessionDoi(policy.session_doi)],
        f"Open data may be used under the licence {licence.name}, unless a dataset says otherwise.",
        f"Raw data are kept for {_count(policy.retention_years, 'year')}.",
    )


def _opening(policy: Policy) -> str:
    if policy.embargo_months == 0:
        return "Data open as soon as the investigation has ended."
    return f"Data open {_count(policy.embargo_months, 'month')} after the end of the investigation."


def _extension(policy: Policy) -> str:
    if policy.maximum_embargo_months <= policy.embargo_months:
        return "The embargo cannot be made longer."
    asked = (
        "Before that, the principal investigator may ask for more time, "
        f"until {_count(policy.maximum_embargo_months, 'month')} after the end at most; a curator decides."
    )
    days = policy.extension_hold.days
    if days == 0:
        return f"{asked} Asking does not keep the data closed."
    return f"{asked} While the request waits the data stay closed, at most {_count(days, 'day')} past their embargo."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
