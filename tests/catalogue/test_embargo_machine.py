"""Everything that can happen to an embargo, in any order, by anybody, at any time, against a model written anew here.

The model knows nothing of columns: it derives every opening from what was decided, and remembers what was open once.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from catalogue import access, neutral_access
from catalogue.access import ANONYMOUS, SYSTEM, Level, Principal, principal_of
from catalogue.entries import DatasetEntry
from catalogue.errors import DomainError
from catalogue.invariants import check_followers, check_holds, check_releases
from catalogue.models import Dataset, ExtensionRequest, Investigation
from catalogue.services.embargoes import set_dataset_embargo
from catalogue.services.extensions import grant_extension, refuse_extension, request_extension, take_back_extension
from catalogue.services.openings import announce_openings
from catalogue.services.registration import register_dataset
from catalogue.services.releases import release_datasets, release_investigation
from catalogue.services.withdrawals import withdraw_dataset, withdraw_investigation
from tests import factories

START = datetime.fromisoformat("2026-05-03T10:00:00+00:00")
DAY = timedelta(days=1)
HOLD = 30 * DAY
ROLES = ("visitor", "stranger", "member of a", "pi of a", "pi of b", "curator", "granted until day 15")
MOST_DATASETS = 9


@dataclass(eq=False)
class Session:
    """What was decided about an investigation; `wish` is the day that an open request asks for."""

    name: str
    row: Investigation
    end: datetime
    held: datetime | None = None
    released: datetime | None = None
    wish: datetime | None = None
    is_withdrawn: bool = False

    @property
    def opens(self) -> datetime:
        end = max(self.end, self.held or self.end)
        return min(end, self.released or end)


@dataclass(eq=False)
class Data:
    row: Dataset
    session: Session
    sources: list["Data"] = field(default_factory=list)
    own_end: datetime | None = None
    released: datetime | None = None
    opened: datetime | None = None
    is_withdrawn: bool = False

    @property
    def opens(self) -> datetime:
        if self.opened:
            return self.opened
        return min(one for one in (self._end, self.released, self.session.released) if one)

    @property
    def _end(self) -> datetime:
        if self.own_end:
            return self.own_end
        moments = [source.opens for source in self.sources]
        if not moments or any(source.session is not self.session for source in self.sources):
            moments.append(self.session.opens)
        return max(moments)


class Embargoes(RuleBasedStateMachine):
    """Each run happens in a transaction that is rolled back, under a clock that only the rule `wait` moves."""

    @initialize()
    def make(self) -> None:
        self.clock = time_machine.travel(START, tick=False)
        self.moving = self.clock.start()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        users = {name: factories.make_user() for name in ROLES[1:5]} | {ROLES[6]: factories.make_user()}
        curator = factories.make_curator()
        self.askers: dict[str, Principal] = {name: principal_of(user) for name, user in users.items()}
        self.askers |= {"visitor": ANONYMOUS, "curator": principal_of(curator)}
        instrument = factories.make_instrument()
        self.sessions = []
        for name, days in (("a", 50), ("b", 120)):
            row = factories.make_investigation(
                pi=users[f"pi of {name}"], instrument=instrument, embargo_until=START + days * DAY
            )
            factories.make_grant(users[ROLES[6]], granted_by=curator, investigation=row, expires_at=START + 15 * DAY)
            self.sessions.append(Session(name, row, row.embargo_until))
        factories.add_member(self.sessions[0].row, users["member of a"])
        self.data = [Data(factories.make_dataset(session.row), session) for session in self.sessions]

    def teardown(self) -> None:
        if hasattr(self, "transaction"):
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            self.clock.stop()

    def attempt(self, is_allowed: bool, service: Any, **values: Any) -> bool:
        """Do it; whether it was done must be what the model says."""
        try:
            with transaction.atomic():
                service(**values)
        except DomainError as error:
            assert not is_allowed, f"{service.__name__} was refused: {error}"
            return False
        assert is_allowed, f"{service.__name__} should have been refused"
        return True

    def leads(self, role: str, session: Session) -> bool:
        return role == f"pi of {session.name}"

    def decides(self, role: str, session: Session) -> bool:
        return role == "curator" or self.leads(role, session)

    def is_open(self, data: Data) -> bool:
        return data.opens <= timezone.now() and not (data.is_withdrawn or data.session.is_withdrawn)

    def closed_in(self, session: Session) -> list[Data]:
        dark = session.is_withdrawn
        return [
            one
            for one in self.data
            if one.session is session and not (dark or one.is_withdrawn or one.opens <= timezone.now())
        ]

    def remember(self) -> None:
        for one in self.data:
            if one.opens <= timezone.now():
                one.opened = one.opens

    @rule(days=st.sampled_from([1, 14, 29, 30, 50, 120]))
    def wait(self, days: int) -> None:
        self.moving.shift(days * DAY)

    @rule(role=st.sampled_from(ROLES), which=st.integers(0, 1))
    def release_all(self, role: str, which: int) -> None:
        session = self.sessions[which]
        is_allowed = self.decides(role, session) and not session.is_withdrawn
        had_closed = bool(self.closed_in(session)) or session.opens > timezone.now()
        if self.attempt(is_allowed, release_investigation, actor=self.askers[role], investigation=session.row):
            if had_closed and session.released is None:
                session.released, session.wish = timezone.now(), None

    @rule(role=st.sampled_from(ROLES), which=st.integers(0, 1), chosen=st.sets(st.integers(0, MOST_DATASETS)))
    def release_some(self, role: str, which: int, chosen: set[int]) -> None:
        session = self.sessions[which]
        some = [one for number, one in enumerate(self.data) if number in chosen and one.session is session]
        is_allowed = self.decides(role, session) and not session.is_withdrawn and bool(some)
        opening = [one for one in some if one in self.closed_in(session)]
        uids = [one.row.uid for one in some]
        values = {"actor": self.askers[role], "investigation": session.row, "uids": uids}
        if self.attempt(is_allowed, release_datasets, **values):
            for one in opening:
                one.released = timezone.now()

    @rule(role=st.sampled_from(ROLES), which=st.integers(0, 1), days=st.sampled_from([0, 1, 40, 400]))
    def ask(self, role: str, which: int, days: int) -> None:
        session, now = self.sessions[which], timezone.now()
        until = session.end + days * DAY
        is_closed = not session.is_withdrawn and now < session.end and now < session.opens
        is_allowed = self.leads(role, session) and is_closed and session.wish is None and days > 0
        values = {"actor": self.askers[role], "investigation": session.row, "until": until, "reason": "More time."}
        if self.attempt(is_allowed, request_extension, **values):
            session.wish, session.held = until, session.end + HOLD

    @rule(role=st.sampled_from(ROLES), which=st.integers(0, 1), less=st.sampled_from([0, 1, 30]))
    def grant(self, role: str, which: int, less: int) -> None:
        session, now = self.sessions[which], timezone.now()
        request = self.newest_request(session)
        if request is None:
            return
        until = request.until - less * DAY
        is_closed = not session.is_withdrawn and now < session.opens
        fits = max(session.end, now) < until
        is_allowed = role == "curator" and session.wish is not None and is_closed and fits
        values = {"actor": self.askers[role], "request": request, "until": until, "reason": "Enough."}
        try:
            grant_extension(**values)
        except DomainError:
            assert not is_allowed
            if role == "curator" and fits and not is_closed:
                session.wish = None
        else:
            assert is_allowed
            session.end, session.held, session.wish = until, None, None

    @rule(role=st.sampled_from(ROLES), which=st.integers(0, 1))
    def refuse(self, role: str, which: int) -> None:
        session = self.sessions[which]
        if request := self.newest_request(session):
            is_allowed = role == "curator" and session.wish is not None
            values = {"actor": self.askers[role], "request": request, "reason": "No."}
            if self.attempt(is_allowed, refuse_extension, **values):
                self.end_hold(session)

    @rule(role=st.sampled_from(ROLES), which=st.integers(0, 1))
    def take_back(self, role: str, which: int) -> None:
        session = self.sessions[which]
        if request := self.newest_request(session):
            is_allowed = self.leads(role, session) and session.wish is not None
            if self.attempt(is_allowed, take_back_extension, actor=self.askers[role], request=request):
                self.end_hold(session)

    @rule(role=st.sampled_from(ROLES), number=st.integers(0, MOST_DATASETS), days=st.sampled_from([-1, 0, 5, 70, 3000]))
    def set_own_end(self, role: str, number: int, days: int) -> None:
        one = self.data[number % len(self.data)]
        until = timezone.now() + days * DAY
        row = Dataset.objects.select_related("investigation__instrument", "instrument__facility").get(pk=one.row.pk)
        latest = max(one.session.end, row.embargo_until or one.session.end)
        is_possible = 0 < days < 1000 if role == "curator" else timezone.now() < until <= latest
        is_allowed = self.decides(role, one.session) and one in self.closed_in(one.session) and is_possible
        if self.attempt(is_allowed, set_dataset_embargo, actor=self.askers[role], dataset=row, until=until):
            one.own_end = until

    @rule(role=st.sampled_from(ROLES), number=st.integers(0, MOST_DATASETS), is_whole=st.booleans())
    def withdraw(self, role: str, number: int, is_whole: bool) -> None:
        one = self.data[number % len(self.data)]
        target = one.session if is_whole else one
        values = {"investigation" if is_whole else "dataset": target.row, "reason": "By mistake."}
        service = withdraw_investigation if is_whole else withdraw_dataset
        if self.attempt(role == "curator" and not target.is_withdrawn, service, actor=self.askers[role], **values):
            target.is_withdrawn = True
            if is_whole:
                one.session.wish = None

    @rule(which=st.integers(0, 1), chosen=st.sets(st.integers(0, MOST_DATASETS), min_size=1, max_size=3))
    def process(self, which: int, chosen: set[int]) -> None:
        session = self.sessions[which]
        sources = [one for number, one in enumerate(self.data) if number in chosen]
        if session.is_withdrawn or not sources or len(self.data) >= MOST_DATASETS:
            return
        entry = DatasetEntry(
            investigation=str(session.row.uid),
            title="Processed",
            kind="processed",
            derived_from=tuple(one.row.uid for one in sources),
        )
        self.data.append(Data(register_dataset(actor=self.askers["curator"], entry=entry), session, sources))

    @rule()
    def announce(self) -> None:
        announce_openings(actor=SYSTEM)
        for session in self.sessions:
            if session.opens <= timezone.now() and not session.is_withdrawn:
                session.wish = None

    def newest_request(self, session: Session) -> ExtensionRequest | None:
        rows = ExtensionRequest.objects.select_related("investigation__facility", "investigation__instrument")
        return rows.filter(investigation=session.row).first()

    def end_hold(self, session: Session) -> None:
        now = timezone.now()
        session.wish = None
        if session.held and session.held > now:
            session.held = None if session.end >= now else now

    def expected(self, role: str, one: Data) -> Level:
        if role == "curator":
            return Level.FULL
        if one.is_withdrawn or one.session.is_withdrawn:
            return Level.TOMBSTONE
        readers = {f"pi of {one.session.name}", f"member of {one.session.name}"}
        if timezone.now() < START + 15 * DAY:
            readers.add(ROLES[6])
        return Level.FULL if self.is_open(one) or role in readers else Level.SUMMARY

    @invariant()
    def everybody_sees_what_the_model_says_in_every_form_of_the_rule(self) -> None:
        if not hasattr(self, "data"):
            return
        self.remember()
        now = timezone.now()
        rows = list(Dataset.objects.select_related("investigation", "instrument__facility").order_by("pk"))
        by_key = {one.row.pk: one for one in self.data}
        active = {key for key, one in by_key.items() if not (one.is_withdrawn or one.session.is_withdrawn)}
        for role, principal in self.askers.items():
            expected = {key: self.expected(role, one) for key, one in by_key.items()}
            full = {key for key, level in expected.items() if level == Level.FULL}
            assert access.dataset_levels(rows, principal, now=now) == expected, role
            assert set(access.full_datasets(principal, now=now).values_list("pk", flat=True)) == full, role
            assert set(access.listed_datasets(principal, now=now).values_list("pk", flat=True)) == active, role
        self.neutral_filter_agrees([row for row in rows if row.pk in active], by_key, now)

    def neutral_filter_agrees(self, rows: list[Dataset], by_key: dict[int, Data], now: datetime) -> None:
        filters = {role: neutral_access.neutral_filter(principal, now=now) for role, principal in self.askers.items()}
        for row in rows:
            document = {
                "opens_at": access.opens_at(row),
                "dataset": row.pk,
                "investigation": row.investigation_id,
                "instrument": row.instrument_id,
            }
            for role, neutral in filters.items():
                level = self.expected(role, by_key[row.pk])
                kept = [kind for kind in ("full", "summary") if neutral.keeps(document=kind, **document)]
                assert kept == [level.value], role

    @invariant()
    def nothing_in_the_database_contradicts_itself(self) -> None:
        if hasattr(self, "data"):
            assert not [*check_followers(), *check_holds(), *check_releases()]


@pytest.mark.django_db
@pytest.mark.both_databases
def test_no_order_of_decisions_shows_closed_data_to_the_wrong_person_or_closes_what_was_open():
    run_state_machine_as_test(Embargoes, settings=settings(max_examples=15, stateful_step_count=20))
