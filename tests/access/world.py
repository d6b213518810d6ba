"""A small archive in which everything that strangers must not learn carries a canary: a word found nowhere else."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from catalogue import secrets
from catalogue.access import principal_of
from catalogue.derived import Picture, picture_path
from catalogue.models import (
    AccessGrant,
    AccessRequest,
    Annotation,
    ApiToken,
    AuditEntry,
    Collection,
    CollectionMember,
    Dataset,
    ExtensionRequest,
    Investigation,
    OutboxEntry,
    Parameter,
    RegistrationDraft,
    Relation,
    ReleaseConsent,
    Sample,
    ShareLink,
    Technique,
    TechniqueAncestor,
    User,
    WatchedFile,
    WatchRule,
)
from catalogue.models.investigations import TeamRole
from catalogue.services.collections import start_collection
from catalogue.services.tokens import create_token
from tests import factories
from tests.access.classified import Classified, make_classified
from tests.access.dois import make_dois

STATES = ("open", "closed", "withdrawn")


@dataclass
class World:
    """Datasets, investigations and samples by state; accounts by role; tokens by name; every canary that was laid."""

    datasets: dict[str, Dataset] = field(default_factory=dict)
    investigations: dict[str, Investigation] = field(default_factory=dict)
    samples: dict[str, Sample] = field(default_factory=dict)
    users: dict[str, User | None] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    canaries: dict[str, str] = field(default_factory=dict)
    draft: RegistrationDraft | None = None
    extension: ExtensionRequest | None = None
    collection: Collection | None = None
    published: Collection | None = None
    consent: ReleaseConsent | None = None
    delivery: OutboxEntry | None = None
    renamed: WatchedFile | None = None
    storage: Any = None
    own_token: ApiToken | None = None
    access_request: AccessRequest | None = None
    grant: AccessGrant | None = None
    share_link: ShareLink | None = None
    classified: Classified | None = None

    def canary(self, place: str) -> str:
        """A new canary; `place` says in a failing test what has leaked."""
        number = len(self.canaries)
        word = f"canary{number:03d}kx{'abcdefghij'[number % 10]}q"
        self.canaries[place] = word
        return word


def make_world(folder: Path) -> World:
    world = World()
    instrument = factories.make_instrument(name="Microscope of the world", short_name="world-microscope")
    instrument.serial_number = world.canary("instrument serial number")
    instrument.save()
    technique = Technique.objects.create(iri="https://example.org/sem", label="electron microscopy", source="test")
    TechniqueAncestor.objects.create(technique=technique, ancestor=technique)
    world.storage = factories.make_storage(
        folder, name=world.canary("storage name"), instrument=instrument, member_folder="{visit_id}"
    )
    world.storage.secret = secrets.encrypt(world.canary("storage secret"))
    world.storage.username = world.canary("storage user name")
    world.storage.save()
    _make_users(world, instrument)
    for state in STATES:
        _make_records(world, state, instrument, technique)
    _make_machinery(world)
    _make_sharing(world)
    world.classified = make_classified(world, STATES)
    return world


def _make_users(world: World, instrument: Any) -> None:
    partners = Group.objects.create(name=world.canary("group name"))
    for name in ("stranger", "member", "pi", "contact", "granted", "partner", "expired"):
        world.users[name] = factories.make_user(name, email=f"{world.canary(f'e-mail of {name}')}@example.org")
    world.users["partner"].groups.add(partners)
    world.users["curator"] = factories.make_curator("curator")
    world.users["administrator"] = factories.make_user("administrator", is_superuser=True, is_staff=True)
    world.users["instrument"] = factories.make_instrument_account(instrument, "instrument-account")
    world.users["visitor"] = None
    for name, scopes in (("pi", {"read", "register"}), ("instrument", {"read", "register"}), ("stranger", {"read"})):
        owner = world.users[name]
        actor = principal_of(owner if name != "instrument" else world.users["administrator"])
        token, text = create_token(actor=actor, owner=owner, name=name, scopes=scopes, lifetime=timedelta(days=1))
        world.tokens[name] = text
        world.own_token = token if name == "pi" else world.own_token


def _make_records(world: World, state: str, instrument: Any, technique: Technique) -> None:
    def hidden(place: str) -> str:
        return world.canary(f"{place} of the {state} dataset") if state != "open" else f"open {place}"

    investigation = factories.make_investigation(is_open=state == "open", pi=world.users["pi"], instrument=instrument)
    for name, role in (("member", TeamRole.MEMBER), ("contact", TeamRole.LOCAL_CONTACT)):
        factories.add_member(investigation, world.users[name], role=role)
    if state == "withdrawn":
        Investigation.objects.filter(pk=investigation.pk).update(withdrawal_reason="Made by mistake.")
    sample = factories.make_sample(
        investigation, name=hidden("sample name"), formula=hidden("formula"), description=hidden("sample description")
    )
    dataset = factories.make_dataset(
        investigation,
        storage=world.storage,
        files={f"{hidden('folder')}/{hidden('file name')}.txt": f"{hidden('content')}\n".encode() * 3},
        sample=sample,
        format_label=hidden("format"),
        has_thumbnail=True,
        extraction_notes=[{"code": "note", "message": hidden("note")}],
        extraction_state="failed",
        registration_key=world.canary(f"registration key of the {state} dataset"),
        state="withdrawn" if state == "withdrawn" else "active",
        withdrawal_reason="Made by mistake." if state == "withdrawn" else "",
    )
    dataset.techniques.add(technique)
    file = dataset.files.get()
    file.fixity, file.checked_at = "intact", timezone.now()
    file.media_type = f"text/{hidden('media type')}"
    file.save()
    if state != "open":
        world.canaries[f"checksum of the {state} dataset"] = file.sha256
    Annotation.objects.create(
        dataset=dataset,
        datafile=file,
        kind="category",
        label=hidden("label of an image"),
        confidence=0.9,
        source="ai",
        model_release=world.canary(f"model of the {state} dataset"),
    )
    _make_parameters(world, dataset, hidden)
    Relation.objects.create(
        dataset=dataset,
        relation_type="IsSupplementTo",
        identifier=hidden("related identifier"),
        title=hidden("relation"),
    )
    grantor = world.users["curator"]
    factories.make_grant(world.users["granted"], granted_by=grantor, investigation=investigation)
    factories.make_grant(world.users["expired"], granted_by=grantor, dataset=dataset, expires_at=timezone.now())
    partners = world.users["partner"].groups.get()
    AccessGrant.objects.create(group=partners, investigation=investigation, granted_by=grantor, reason=hidden("reason"))
    _make_thumbnail(dataset, hidden("thumbnail"))
    AuditEntry.objects.create(
        at=timezone.now(),
        actor_label=world.canary(f"actor in the log of the {state} dataset"),
        action="update",
        object_type="dataset",
        object_id=str(dataset.uid),
        object_label=dataset.title,
        after={"value": world.canary(f"value in the log of the {state} dataset")},
    )
    Investigation.objects.filter(pk=investigation.pk).update(dataset_count=1, file_count=1, size=dataset.size)
    world.datasets[state] = Dataset.objects.get(pk=dataset.pk)
    world.investigations[state] = investigation
    world.samples[state] = sample


def _make_parameters(world: World, dataset: Dataset, hidden: Any) -> None:
    numbers = itertools.count(1)

    def add(**fields: Any) -> None:
        values = {
            "dataset": dataset,
            "group": "",
            "name": f"value{next(numbers)}",
            "source": "instrument",
            "kind": "text",
        }
        Parameter.objects.create(**(values | fields))

    add(name="accelerating_voltage", kind="number", value=5.0, text="5", unit="kV", value_si=5000.0, unit_si="V")
    add(text=hidden("parameter text"))
    add(name=hidden("parameter name"), text="a text")
    add(group=hidden("vendor group"), text="a text")
    add(kind="list", items=[hidden("list item")], text=hidden("list text"))
    add(kind="number", value=1.0, text=hidden("number as given"), unit=hidden("unit"))
    add(source="person", text=hidden("correction"))
    add(name="operator", text=world.canary(f"personal value of {dataset.title}"), is_personal=True)


def _make_thumbnail(dataset: Dataset, content: str) -> None:
    for kind in Picture:
        path = picture_path(dataset.uid, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF\x00\x00\x00\x00WEBPVP8 " + content.encode())


def _make_machinery(world: World) -> None:
    world.draft = RegistrationDraft.objects.create(
        owner=world.users["member"], content={"description": {"title": world.canary("title of a draft")}}
    )
    world.delivery = OutboxEntry.objects.create(
        topic="extract",
        key=str(world.datasets["closed"].uid),
        available_at=timezone.now() + timedelta(days=1),
        last_error=world.canary("error of a delivery"),
    )
    _make_renamed_file(world)
    _make_extension_request(world)
    _make_collection(world)
    make_dois(world)


def _make_collection(world: World) -> None:
    """A draft of a member of the team, with the closed investigation, whose principal investigator is asked."""
    closed = world.investigations["closed"]
    world.collection = start_collection(actor=principal_of(world.users["member"]), investigations=[closed.uid])
    text = {
        "title": world.canary("title of a collection"),
        "abstract": world.canary("abstract of a collection"),
        "creators": [{"family_name": world.canary("author of a collection")}],
    }
    Collection.objects.filter(pk=world.collection.pk).update(text=text, title=text["title"])
    CollectionMember.objects.filter(collection=world.collection).update(role=world.canary("role in a collection"))
    world.consent = ReleaseConsent.objects.create(
        collection=world.collection,
        investigation=closed,
        requested_by=world.users["member"],
        reason=world.canary("reason of a consent"),
    )


def _make_sharing(world: World) -> None:
    """Somebody asks for the closed dataset, somebody was let in, and a reviewer has a link: the leaders' matter."""
    closed, investigation = world.datasets["closed"], world.investigations["closed"]
    world.users["asker"] = factories.make_user("asker", email=f"{world.canary('e-mail of the asker')}@example.org")
    world.access_request = AccessRequest.objects.create(
        dataset=closed,
        requested_by=world.users["asker"],
        reason=world.canary("reason of a request for access"),
        terms_accepted_at=timezone.now(),
    )
    world.grant = AccessGrant.objects.get(user=world.users["granted"], investigation=investigation)
    world.share_link = ShareLink.objects.create(
        investigation=investigation,
        digest="0" * 64,
        label=world.canary("label of a share link"),
        created_by=world.users["pi"],
        expires_at=timezone.now() + timedelta(days=9),
    )


def _make_extension_request(world: World) -> None:
    investigation = world.investigations["closed"]
    world.extension = ExtensionRequest.objects.create(
        investigation=investigation,
        until=investigation.embargo_until + timedelta(days=30),
        reason=world.canary("reason of an extension request"),
        requested_by=world.users["pi"],
    )


def _make_renamed_file(world: World) -> None:
    """The file of the closed dataset seems to lie elsewhere now; only curators may say that it is the same."""
    file = world.datasets["closed"].files.get()
    rule = WatchRule.objects.create(
        storage=world.storage,
        instrument=world.datasets["closed"].instrument,
        name=world.canary("name of a watch rule"),
        pattern=".*",
        acts_as=world.users["administrator"],
    )
    now = timezone.now()
    common = {"rule": rule, "datafile": file, "size": 1, "modified_at": now, "first_seen_at": now, "changed_at": now}
    WatchedFile.objects.create(path=file.path, state="missing", **common)
    world.renamed = WatchedFile.objects.create(path=world.canary("path of a renamed file"), state="renamed", **common)


def url_patterns(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route of the site: its pattern as text and its name."""
    for entry in (resolver or get_resolver()).url_patterns:
        text = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from url_patterns(entry, text)
        else:
            yield text, entry
