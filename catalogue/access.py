"""Who may see what: the ONE visibility rule, as a queryset filter. `neutral_access.py` states it for search engines.

A record is open when it was released or its embargo has passed; that is a function of the clock, stored nowhere.
A closed record is seen in full by its team, by those with an unexpired grant or share link, and by curators. Everyone
else sees what the policy of its instrument says: a summary (default), everything but the files, or nothing.
Nothing in this file reads a request, and nothing else repeats the rule.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Value

from catalogue.anonymity import HiddenPerson
from catalogue.models import AccessGrant, Dataset, Instrument, Investigation, TeamMember, User
from catalogue.models.facilities import EmbargoMetadata
from catalogue.models.investigations import RecordState, TeamRole
from catalogue.policy import policy_of
from catalogue.sharing import SHARERS, shared_members, shared_q, valid_links

SCOPES = {
    "read": "read what you may read, closed data of your teams included",
    "register": "register and update investigations, samples and datasets",
}


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks. `scopes` is None for a person logged in on the site, else the scopes of the token.

    `share_link_ids` are the share links that the asker opened; with `hides_people` one of them hides who people are, and
    `hidden_people` are those whose names are looked for in texts.
    """

    user_id: int | None = None
    label: str = "visitor"
    is_curator: bool = False
    is_administrator: bool = False
    instrument_id: int | None = None
    scopes: frozenset[str] | None = None
    share_link_ids: tuple[int, ...] = ()
    hides_people: bool = False
    hidden_people: frozenset[HiddenPerson] = frozenset()

    @property
    def is_public(self) -> bool:
        """Whether this is anybody: what is answered may be kept for everybody."""
        return self.user_id is None and not self.share_link_ids

    @property
    def is_anonymous(self) -> bool:
        return self.user_id is None

    def has_scope(self, scope: str) -> bool:
        return self.scopes is None or scope in self.scopes

    @property
    def sees_everything(self) -> bool:
        """Curators and administrators, unless they act by a token that may not read."""
        return (self.is_curator or self.is_administrator) and self.has_scope("read")

    @property
    def reads_closed_data(self) -> bool:
        """Whether teams and grants count for this principal: not for instruments, nor for tokens without `read`."""
        return self.user_id is not None and self.instrument_id is None and self.has_scope("read")


ANONYMOUS = Principal()
# Datasets that say themselves when they open, as an index knows them.
OWN_TERMS = Q(embargo_until__isnull=False) | Q(released_at__isnull=False)
# The site itself, when a periodic job or a command acts: sees everything, registers nothing, is nobody's login.
SYSTEM = Principal(label="system", is_administrator=True)


def principal_of(user: User, *, scopes: frozenset[str] | None = None) -> Principal:
    """The principal of a logged-in or token-bearing `user`."""
    if not user.is_authenticated or not user.is_active:
        return ANONYMOUS
    return Principal(
        user_id=user.pk,
        label=user.get_username(),
        is_curator=user.is_curator,
        is_administrator=user.is_administrator,
        instrument_id=user.instrument_id,
        scopes=scopes,
    )


class Level(StrEnum):
    """How much of a record somebody sees."""

    FULL = "full"
    METADATA = "metadata"
    SUMMARY = "summary"
    TOMBSTONE = "tombstone"
    NOTHING = "nothing"


PUBLIC_LEVELS = {
    EmbargoMetadata.SUMMARY: Level.SUMMARY,
    EmbargoMetadata.FULL: Level.METADATA,
    EmbargoMetadata.NONE: Level.NOTHING,
}


def public_level(record: Dataset | Investigation) -> Level:
    """What a stranger sees of a record under embargo. Its `instrument.facility` should be fetched with it."""
    instrument = record.instrument
    return PUBLIC_LEVELS[EmbargoMetadata(policy_of(instrument.facility, instrument).embargo_metadata)]


def hidden_instruments() -> frozenset[int]:
    """The instruments whose records under embargo nobody outside may know of, by primary key. Mostly there are none."""
    return frozenset(hidden_instrument_rows().values_list("pk", flat=True))


def hidden_instrument_rows() -> QuerySet[Instrument]:
    hidden = EmbargoMetadata.NONE
    stated = Q(embargo_metadata=hidden) | Q(embargo_metadata="", facility__embargo_metadata=hidden)
    return Instrument.objects.filter(stated).order_by()


def hides_records() -> bool:
    """Whether counts of the whole archive would tell strangers of records that they may not know of."""
    return bool(hidden_instruments())


def opens_at(record: Dataset | Investigation) -> datetime:
    """The moment from which `record` is open to everyone, be it past or to come."""
    if isinstance(record, Investigation):
        moments = [_embargo_end(record), record.released_at]
    else:
        investigation = record.investigation
        moments = [record.embargo_until or _embargo_end(investigation), record.released_at, investigation.released_at]
    return min(filter(None, moments))


def _embargo_end(investigation: Investigation) -> datetime:
    """The end of its embargo; later while a request for an extension, asked in time, keeps it closed."""
    return max(investigation.embargo_until, investigation.held_until or investigation.embargo_until)


def is_withdrawn(record: Dataset | Investigation) -> bool:
    if record.state == RecordState.WITHDRAWN:
        return True
    return isinstance(record, Dataset) and record.investigation.state == RecordState.WITHDRAWN


def is_open(record: Dataset | Investigation, *, now: datetime) -> bool:
    return not is_withdrawn(record) and opens_at(record) <= now


def embargo_passed_q(now: datetime, prefix: str = "") -> Q:
    """Investigations whose embargo is over at `now`, no request for an extension holding them back."""
    return Q(**{f"{prefix}embargo_until__lte": now}) & (
        Q(**{f"{prefix}held_until__isnull": True}) | Q(**{f"{prefix}held_until__lte": now})
    )


def open_q(now: datetime, prefix: str = "") -> Q:
    """Datasets that are open at `now`. `prefix` leads from another model to the dataset, such as "dataset__"."""
    return (Q(**{f"{prefix}state": RecordState.ACTIVE, f"{prefix}investigation__state": RecordState.ACTIVE})) & (
        Q(**{f"{prefix}released_at__lte": now})
        | Q(**{f"{prefix}investigation__released_at__lte": now})
        | Q(**{f"{prefix}embargo_until__lte": now})
        | (Q(**{f"{prefix}embargo_until__isnull": True}) & embargo_passed_q(now, f"{prefix}investigation__"))
    )


def investigations_that_hold(choice: str, *, now: datetime) -> QuerySet[Investigation] | None:
    """All investigations that may hold datasets that are "open" or "closed" at `now`; None for any other choice."""
    stated = Dataset.objects.filter(investigation=OuterRef("pk")).filter(OWN_TERMS)
    if choice == "open":
        is_open = Q(released_at__lte=now) | embargo_passed_q(now)
        return Investigation.objects.filter(is_open | Exists(stated.filter(open_q(now))))
    if choice == "closed":
        is_closed = Q(embargo_until__gt=now) | Q(held_until__gt=now)
        return Investigation.objects.filter(is_closed | Exists(stated.filter(embargo_until__gt=now)))
    return None


def _grants(principal: Principal, now: datetime) -> QuerySet[AccessGrant]:
    groups = User.groups.through.objects.filter(user_id=principal.user_id).values("group_id")
    readers = Q(user_id=principal.user_id) | Q(group_id__in=groups)
    return AccessGrant.objects.filter(readers).filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))


def _known_q(principal: Principal, now: datetime) -> Q:
    """Closed datasets that `principal` may know of though strangers may not."""
    known = closed_access_q(principal, now)
    return known | shared_q(valid_links(principal.share_link_ids, now=now)) if principal.share_link_ids else known


def closed_access_q(principal: Principal, now: datetime) -> Q:
    """Closed datasets that `principal` reads by team, by grant or by a share link that allows files."""
    readable = Q(pk__in=[])
    if principal.share_link_ids:
        readable |= shared_q(valid_links(principal.share_link_ids, now=now).filter(allows_files=True))
    if principal.reads_closed_data:
        readable |= _own_q(principal, now)
    return readable


def _own_q(principal: Principal, now: datetime) -> Q:
    team = TeamMember.objects.filter(person__user_id=principal.user_id).values("investigation_id")
    grants = _grants(principal, now)
    return (
        Q(investigation_id__in=team)
        | Q(investigation_id__in=grants.filter(investigation__isnull=False).values("investigation_id"))
        | Q(pk__in=grants.filter(dataset__isnull=False).values("dataset_id"))
    )


def own_keys(principal: Principal, *, now: datetime) -> tuple[list[int], list[int]]:
    """Of the investigations and of the single datasets that `principal` reads by team or by grant, in one query."""
    if not principal.reads_closed_data:
        return [], []
    none = Value(None, output_field=BigIntegerField())
    team = TeamMember.objects.filter(person__user_id=principal.user_id).order_by()
    grants = _grants(principal, now).values_list("investigation_id", "dataset_id")
    rows = list(team.values_list("investigation_id", none).union(grants, all=True))
    return [key for key, _ in rows if key is not None], [key for _, key in rows if key is not None]


def full_datasets(principal: Principal, *, now: datetime) -> QuerySet[Dataset]:
    """The datasets whose files and metadata `principal` may read."""
    datasets = Dataset.objects.all()
    if principal.sees_everything:
        return datasets
    active = Q(state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE)
    return datasets.filter(open_q(now) | (active & closed_access_q(principal, now)))


def full_investigations(principal: Principal, *, now: datetime) -> QuerySet[Investigation]:
    """The investigations whose metadata `principal` may read in full. Their datasets may be closed for longer."""
    investigations = Investigation.objects.all()
    if principal.sees_everything:
        return investigations
    readable = embargo_passed_q(now) | Q(released_at__lte=now)
    if principal.reads_closed_data:
        team = TeamMember.objects.filter(person__user_id=principal.user_id).order_by().values("investigation_id")
        grants = _grants(principal, now).filter(investigation__isnull=False).values("investigation_id")
        readable |= Q(pk__in=team) | Q(pk__in=grants)
    return investigations.filter(readable, state=RecordState.ACTIVE)


def listed_datasets(principal: Principal, *, now: datetime) -> QuerySet[Dataset]:
    """The datasets that `principal` may find in a list, some of them only as a summary. Withdrawn ones are in no list."""
    datasets = Dataset.objects.filter(state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE)
    if principal.sees_everything:
        return datasets
    is_hidden = Q(instrument__in=hidden_instrument_rows().values("pk"))
    return datasets.filter(~is_hidden | open_q(now) | _known_q(principal, now))


def listed_investigations(principal: Principal, *, now: datetime) -> QuerySet[Investigation]:
    investigations = Investigation.objects.filter(state=RecordState.ACTIVE)
    hidden = frozenset() if principal.sees_everything else hidden_instruments()
    if not hidden:
        return investigations
    datasets = known_datasets(principal, now=now).filter(investigation=OuterRef("pk"))
    is_released = embargo_passed_q(now) | Q(released_at__lte=now)
    own = Q(pk__in=TeamMember.objects.filter(person__user_id=principal.user_id).values("investigation_id"))
    return investigations.filter(
        ~Q(instrument__in=hidden)
        | is_released
        | Exists(datasets)
        | (own if principal.reads_closed_data else Q(pk__in=[]))
    )


def known_datasets(principal: Principal, *, now: datetime) -> QuerySet[Dataset]:
    """The datasets for whose sake `principal` may know of their investigation, whatever is hidden from strangers."""
    active = Q(state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE)
    return Dataset.objects.filter(open_q(now) | (active & _known_q(principal, now)))


def dataset_level(dataset: Dataset, principal: Principal, *, now: datetime) -> Level:
    """How much of `dataset` the principal sees. Costs no query for open data and for visitors."""
    return dataset_levels([dataset], principal, now=now)[dataset.pk]


def dataset_levels(datasets: list[Dataset], principal: Principal, *, now: datetime) -> dict[int, Level]:
    """`dataset_level` for a page of datasets, by primary key, in one query at most."""
    closed_rows = [one for one in datasets if not (principal.sees_everything or is_open(one, now=now))]
    undecided = [one.pk for one in closed_rows]
    closed = Dataset.objects.filter(pk__in=undecided)
    readable = {one.pk for one in closed_rows if _is_in_fetched_team(one.investigation, principal)}
    shown: set[int] = set()
    if len(readable) < len(undecided) and (principal.reads_closed_data or principal.share_link_ids):
        readable |= set(closed.filter(closed_access_q(principal, now)).values_list("pk", flat=True))
    if undecided and principal.share_link_ids:
        shown = set(
            closed.filter(shared_q(valid_links(principal.share_link_ids, now=now))).values_list("pk", flat=True)
        )
    closed_keys = set(undecided)

    def level_of(one: Dataset) -> Level:
        if one.pk not in closed_keys:
            return Level.FULL
        level = _closed_level(one, is_reader=one.pk in readable, now=now)
        is_shown = one.pk in shown and level in (Level.SUMMARY, Level.NOTHING) and not is_withdrawn(one)
        return Level.METADATA if is_shown else level

    return {one.pk: level_of(one) for one in datasets}


def _closed_level(record: Dataset | Investigation, *, is_reader: bool, now: datetime) -> Level:
    """How much is seen of a record that is not open, by its readers and by strangers.

    Where closed records are hidden altogether, the tombstone of one that never opened would tell of it.
    """
    if not is_withdrawn(record):
        return Level.FULL if is_reader else public_level(record)
    is_known = is_reader or opens_at(record) <= now or public_level(record) != Level.NOTHING
    return Level.TOMBSTONE if is_known else Level.NOTHING


def _is_in_fetched_team(investigation: Investigation, principal: Principal) -> bool:
    """Whether the team came with the investigation and `principal` reads by being in it. Costs no query."""
    is_fetched = "team" in getattr(investigation, "_prefetched_objects_cache", {})
    return is_fetched and principal.reads_closed_data and is_team_member(investigation, principal)


def is_team_member(investigation: Investigation, principal: Principal, *, roles: tuple[TeamRole, ...] = ()) -> bool:
    """Costs no query where the team was fetched with the investigation."""
    if principal.user_id is None:
        return False
    if "team" in getattr(investigation, "_prefetched_objects_cache", {}):
        own = (member for member in investigation.team.all() if member.person.user_id == principal.user_id)
        return any(not roles or member.role in roles for member in own)
    members = TeamMember.objects.filter(investigation=investigation, person__user_id=principal.user_id)
    return (members.filter(role__in=roles) if roles else members).exists()


def investigation_level(investigation: Investigation, principal: Principal, *, now: datetime) -> Level:
    if principal.sees_everything or is_open(investigation, now=now):
        return Level.FULL
    is_reader = principal.reads_closed_data and (
        is_team_member(investigation, principal) or _grants(principal, now).filter(investigation=investigation).exists()
    )
    if not is_reader and principal.share_link_ids:
        links = valid_links(principal.share_link_ids, now=now)
        is_reader = (
            links.filter(investigation=investigation).exists()
            or shared_members(links).filter(investigation=investigation).exists()
        )
    level = _closed_level(investigation, is_reader=is_reader, now=now)
    if level == Level.NOTHING and known_datasets(principal, now=now).filter(investigation=investigation).exists():
        return Level.SUMMARY
    return level


def may_share_in(investigation: Investigation, principal: Principal) -> bool:
    """Whether `principal` decides who else reads `investigation` while it is closed: its PI, its local contact, curators."""
    if principal.is_anonymous or principal.instrument_id is not None or not principal.has_scope("register"):
        return False
    if principal.is_curator or principal.is_administrator:
        return True
    return is_team_member(investigation, principal, roles=SHARERS)


def may_register_at(instrument: Instrument, principal: Principal) -> bool:
    """Whether `principal` may open an investigation at `instrument`.

    Team members may not: whoever names a visit gains its folder in the storages that confine members by visit.
    """
    if principal.is_anonymous or not principal.has_scope("register"):
        return False
    return principal.is_curator or principal.is_administrator or principal.instrument_id == instrument.pk


def may_register_in(investigation: Investigation, principal: Principal) -> bool:
    """Whether `principal` may register and change datasets of `investigation`."""
    if principal.is_anonymous or not principal.has_scope("register"):
        return False
    if principal.is_curator or principal.is_administrator:
        return True
    if principal.instrument_id is not None:
        return principal.instrument_id == investigation.instrument_id
    return is_team_member(investigation, principal)
