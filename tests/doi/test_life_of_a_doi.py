"""The life of a DOI as a state machine: whatever people do and DataCite fails at, nothing opens before it was accepted.

After every step the records are compared with what the stand-in really has, and at the end of each life it is let run
undisturbed until the two agree.
"""

import sqlite3
from contextlib import closing

import hypothesis
import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from catalogue import access
from catalogue.access import ANONYMOUS, SYSTEM, Level, principal_of
from catalogue.circuit import circuit_of
from catalogue.collection_selectors import text_of
from catalogue.errors import DomainError
from catalogue.models import Collection, Dataset
from catalogue.models.collections import CollectionState
from catalogue.services.collections import correct_text, new_version, text_tag, withdraw_collection
from doi import services
from doi.invariants import CHECKS
from doi.models import Identifier, Problem
from doi.receivers import on_collections_changed
from doi.standin.faults import Fault
from doi.sweep import sweep
from tests import factories
from tests.doi.world import deliver, make_draft, write_text
from tests.servers import DataCiteServer

pytestmark = pytest.mark.django_db

KINDS = ["429", "500", "503", "reset", "lost_acknowledgement", "malformed_json"]


class LifeOfADoi(RuleBasedStateMachine):
    """`server` is the stand-in, set on the class before the run."""

    server: DataCiteServer

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.first = make_draft()
        self.actor = self.first.actor
        self.collection = self.first.collection
        self.curator = principal_of(factories.make_curator())

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
            transaction.set_rollback(False)

    def settle(self) -> None:
        """Undisturbed, everything comes to agree, but for what was refused."""
        self.server.fail()
        sweep(actor=SYSTEM)
        for _ in range(6):
            self.close_circuit()
            deliver()
        there = self.there()
        for one in Identifier.objects.exclude(problem=Problem.REFUSED):
            assert one.is_settled, f"{one}: {one.last_error}"
            assert there.get(one.doi, "none") == one.state == one.wanted
        for collection in Collection.objects.filter(state=CollectionState.PUBLISHING):
            raise AssertionError(f"{collection} is being published for ever")

    def close_circuit(self) -> None:
        circuit_of("datacite", self.server.url, self.server.user).record_success()

    def there(self) -> dict[str, str]:
        with closing(sqlite3.connect(self.server.data)) as store:
            return dict(store.execute("SELECT doi, state FROM dois"))

    def attempt(self, act, **arguments) -> None:
        """People may try anything; what is not allowed says so and changes nothing."""
        self.collection.refresh_from_db()
        try:
            act(actor=arguments.pop("actor", self.actor), **arguments)
        except DomainError:
            pass
        self.collection.refresh_from_db()
        on_collections_changed(uids=[self.collection.uid])

    @rule()
    def reserve(self) -> None:
        self.attempt(services.reserve, collection=self.collection)

    @rule()
    def publish(self) -> None:
        self.attempt(services.publish, collection=self.collection, expected_version=None)

    @rule()
    def cancel(self) -> None:
        self.attempt(services.cancel_publication, collection=self.collection)

    @rule()
    def retry(self) -> None:
        if identifier := Identifier.objects.filter(collection=self.collection).first():
            self.attempt(services.retry, identifier=identifier)

    @rule(title=strategies.sampled_from(["A", "B", "C"]))
    def correct(self, title: str) -> None:
        self.collection.refresh_from_db()
        seen = text_tag(text_of(self.collection), {"title": ""})
        self.attempt(correct_text, collection=self.collection, changes={"title": title}, seen=seen)

    @rule()
    def begin_a_version(self) -> None:
        self.collection.refresh_from_db()
        if self.collection.state == CollectionState.PUBLISHED:
            try:
                self.collection = new_version(actor=self.actor, collection=self.collection)
            except DomainError:
                pass

    @rule()
    def withdraw(self) -> None:
        self.attempt(withdraw_collection, actor=self.curator, collection=self.collection, reason="Wrong sample.")

    @precondition(lambda self: self.collection.state == CollectionState.PUBLISHING)
    @rule()
    def become_what_datacite_refuses(self) -> None:
        """As when the rules of DataCite change between publishing and delivery."""
        rows = Collection.objects.filter(pk=self.collection.pk, state=CollectionState.PUBLISHING)
        rows.update(text=self.collection.text | {"title": ""})

    @rule()
    def mend(self) -> None:
        self.collection.refresh_from_db()
        if self.collection.state == CollectionState.DRAFT:
            self.collection = write_text(self.actor, self.collection, title="Mended")

    @rule(kind=strategies.sampled_from(KINDS), times=strategies.integers(1, 2))
    def deliver_with_a_fault(self, kind: str, times: int) -> None:
        self.server.fail(Fault(kind=kind, times=times))
        self.close_circuit()
        deliver()
        self.server.fail()

    @rule()
    def deliver_undisturbed(self) -> None:
        self.close_circuit()
        deliver()

    @rule()
    def lose_the_answer_and_the_deliverer(self) -> None:
        """DataCite accepted, and the deliverer was killed before it heard so."""
        from tests.doi.test_delivery import deliver_without_answer

        identifier = Identifier.objects.filter(collection=self.collection).first()
        if identifier is not None and identifier.wanted == "findable" and text_of(self.collection).title:
            deliver_without_answer(self.server, identifier)

    @invariant()
    def nothing_is_open_that_datacite_has_not_accepted(self) -> None:
        dataset = Dataset.objects.select_related("investigation__instrument__facility").get(pk=self.first.dataset.pk)
        if access.dataset_level(dataset, ANONYMOUS, now=timezone.now()) == Level.FULL:
            there = self.there()
            holding = Identifier.objects.filter(collection__members__dataset=dataset)
            assert {there.get(one.doi) for one in holding} & {"findable", "registered"}

    @invariant()
    def what_is_published_is_known_to_datacite_and_open(self) -> None:
        there = self.there()
        for collection in Collection.objects.exclude(state__in=["draft", "publishing"]):
            assert there[collection.doi] in ("findable", "registered")
        assert [sentence for check in CHECKS for sentence in check()] == []

    @invariant()
    def nothing_is_minted_twice(self) -> None:
        for doi, counts in self.server.log()["dois"].items():
            assert counts["mints"] <= 1 and counts["creations"] <= 1, doi


def test_the_life_of_a_doi(datacite):
    LifeOfADoi.server = datacite
    settings = hypothesis.settings(
        max_examples=25, stateful_step_count=15, suppress_health_check=list(hypothesis.HealthCheck), deadline=None
    )
    run_state_machine_as_test(LifeOfADoi, settings=settings)
