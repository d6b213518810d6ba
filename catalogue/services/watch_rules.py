"""Watch rules declared, and what the watcher noticed decided upon by curators."""

from typing import Any

from django.db import IntegrityError, transaction

from catalogue import outbox
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import Datafile, Dataset, Instrument, Storage, User, WatchedFile, WatchRule
from catalogue.models.storages import WatchedState
from catalogue.services.parameters import touch
from catalogue.services.watching import path_rule
from catalogue.storages.errors import StoragePathRefused
from catalogue.storages.paths import clean_path
from catalogue.watching.rules import RuleProblem


def declare_watch_rule(
    *, actor: Principal, storage: Storage, instrument: Instrument, name: str, acts_as: User, **values: Any
) -> WatchRule:
    """Declare how files that appear in a storage of the site become datasets of `instrument`.

    `acts_as` is the instrument's own account or a curator's. `values`: folder, pattern, visit_template, group_template,
    title_template, sample_template, settle_seconds.
    """
    if not actor.is_administrator or actor.scopes is not None:
        raise NotAllowed("Watch rules are declared by administrators.")
    rule = WatchRule(storage=storage, instrument=instrument, name=name.strip(), acts_as=acts_as, **values)
    check_watch_rule(rule)
    try:
        with transaction.atomic():
            rule.save()
            write_audit(actor=actor, action="create", record=rule, after={"storage": storage.name, **values})
    except IntegrityError:
        raise Conflict("This storage has a rule of this name already.", fields={"name": ["Taken."]}) from None
    return rule


def check_watch_rule(rule: WatchRule) -> None:
    """Raise InvalidInput when a rule could register nothing, or the wrong thing."""
    fields: dict[str, list[str]] = {}
    if not rule.name:
        fields["name"] = ["Give the rule a name."]
    try:
        clean_path(rule.folder, is_root_allowed=True)
    except StoragePathRefused as problem:
        fields["folder"] = [str(problem)]
    try:
        path_rule(rule).check()
    except RuleProblem as problem:
        fields["pattern"] = [str(problem)]
    if rule.storage.instrument_id not in (None, rule.instrument_id) or rule.storage.owner_id is not None:
        fields["storage"] = ["Choose a storage of the site that belongs to this instrument or to none."]
    account = rule.acts_as
    if account.instrument_id != rule.instrument_id and not (account.is_curator or account.is_administrator):
        fields["acts_as"] = ["Choose the instrument's own account, or a curator."]
    if fields:
        raise InvalidInput("The rule cannot be used like this.", fields=fields)


def accept_rename(*, actor: Principal, watched_file_id: int) -> Datafile:
    """Say that a file which lies at a new path is the one that was registered; its checksum is compared afterwards.

    Raises Conflict when the file came back to its old path, or the new one was registered meanwhile.
    """
    if not actor.sees_everything:
        raise NotAllowed("Renames are accepted by curators.")
    try:
        with transaction.atomic():
            new, file = _renamed(watched_file_id)
            old_path = file.path
            WatchedFile.objects.filter(rule=new.rule_id, path=old_path, state=WatchedState.MISSING).delete()
            WatchedFile.objects.filter(pk=new.pk).update(state=WatchedState.REGISTERED, reason="")
            Datafile.objects.filter(pk=file.pk).update(path=new.path)
            _tell(actor, file.dataset, old_path, new.path)
            outbox.record_intents("check-file", [str(file.pk)])
    except IntegrityError:
        raise Conflict("The file at the new path is registered already.") from None
    file.path = new.path
    return file


def _renamed(watched_file_id: int) -> tuple[WatchedFile, Datafile]:
    new = (
        WatchedFile.objects.select_related("datafile__dataset")
        .filter(pk=watched_file_id, state=WatchedState.RENAMED)
        .first()
    )
    file = new.datafile if new else None
    if new is None or file is None:
        raise NotFound("There is no such renamed file; perhaps somebody accepted it already.")
    is_lost = WatchedFile.objects.filter(rule=new.rule_id, path=file.path, state=WatchedState.MISSING).exists()
    if not is_lost:
        raise Conflict("The file is in its old place again; nothing needs to be accepted.")
    return new, file


def _tell(actor: Principal, dataset: Dataset, before: str, after: str) -> None:
    touch(dataset)
    write_audit(actor=actor, action="accept-rename", record=dataset, before={"path": before}, after={"path": after})
