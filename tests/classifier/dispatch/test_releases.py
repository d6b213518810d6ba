"""Releases are installed whole, used one at a time, and gone back to; none of it touches what was annotated before."""

import pytest
from django.core.management import CommandError, call_command

from catalogue.access import SYSTEM, principal_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import AuditEntry
from classifier.models import Category, ModelRelease, Work
from classifier.pipeline.labels import NAMES
from classifier.services.releases import (
    activate_release,
    active_release,
    ensure_demonstration,
    folder_of,
    install_release,
    release_named,
    rollback,
)
from tests import factories
from tests.classifier.dispatch import world

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def install(folder, release: str = "1", **values) -> ModelRelease:
    return install_release(actor=SYSTEM, folder=world.write_untrained(folder / f"made-{release}", release, **values))


def test_an_installed_release_is_a_copy_that_needs_its_origin_no_more(folder):
    release = install(folder)
    (folder / "made-1" / "model.tflite").write_bytes(b"changed later")
    assert (folder_of(release) / "model.tflite").read_bytes() == b"no model"
    assert (release.state, release.labels) == ("candidate", list(NAMES))
    activate_release(actor=SYSTEM, release=release)
    assert active_release() == release


def test_the_same_release_twice_is_one_and_another_of_its_name_is_refused(folder):
    release = install(folder)
    assert install_release(actor=SYSTEM, folder=folder / "made-1") == release
    world.write_untrained(folder / "other", "1", temperature=2.0)
    with pytest.raises(Conflict, match="never changes"):
        install_release(actor=SYSTEM, folder=folder / "other")


def test_a_file_with_another_hash_is_refused_before_anything_is_kept(folder):
    made = world.write_untrained(folder / "made")
    (made / "model.tflite").write_bytes(b"another model")
    with pytest.raises(InvalidInput) as refusal:
        install_release(actor=SYSTEM, folder=made)
    assert refusal.value.code == "wrong-hash"
    assert not ModelRelease.objects.exists() and not (folder / "classifier" / "releases").exists()


def test_a_release_whose_files_were_changed_is_not_taken_into_use(folder):
    release = install(folder)
    (folder_of(release) / "model.tflite").write_bytes(b"another model")
    with pytest.raises(InvalidInput):
        activate_release(actor=SYSTEM, release=release)
    assert active_release() is None


def test_one_release_is_used_at_a_time_and_one_goes_back_to_the_one_before(folder):
    first, second = install(folder, "1"), install(folder, "2")
    activate_release(actor=SYSTEM, release=first)
    activate_release(actor=SYSTEM, release=second)
    assert list(ModelRelease.objects.order_by("release").values_list("state", flat=True)) == ["retired", "active"]
    assert rollback(actor=SYSTEM) == first
    assert active_release() == first
    assert AuditEntry.objects.filter(action="activate-release").count() == 3


def test_there_is_nothing_to_go_back_to_at_first(folder):
    activate_release(actor=SYSTEM, release=install(folder))
    with pytest.raises(Conflict):
        rollback(actor=SYSTEM)


def test_labels_become_categories_and_what_people_decided_of_them_stays(folder):
    Category.objects.create(name=NAMES[0].upper())
    Category.objects.create(name=NAMES[1], state="refused")
    activate_release(actor=SYSTEM, release=install(folder))
    states = dict(Category.objects.values_list("name", "state"))
    assert len(states) == len(NAMES)
    assert (states[NAMES[0].upper()], states[NAMES[1]], states[NAMES[2]]) == ("accepted", "refused", "accepted")


def test_a_release_in_use_queues_nothing_by_itself(folder):
    world.make_archive(folder / "files", images=3)
    activate_release(actor=SYSTEM, release=install(folder))
    assert not Work.objects.exists()


def test_only_administrators_decide_which_model_is_used(folder):
    release = install(folder)
    curator = principal_of(factories.make_curator())
    with pytest.raises(NotAllowed):
        activate_release(actor=curator, release=release)
    with pytest.raises(NotAllowed):
        install_release(actor=curator, folder=folder / "made-1")
    with pytest.raises(NotAllowed):
        rollback(actor=curator)


def test_the_demonstration_is_used_on_a_site_without_any_release_only(folder):
    demonstration = ensure_demonstration(actor=SYSTEM)
    assert demonstration and demonstration.is_demonstration and active_release() == demonstration
    assert ensure_demonstration(actor=SYSTEM) is None
    assert not (folder / "classifier" / "releases").exists(), "it lies with the code"


def test_the_command_lists_installs_activates_and_goes_back(folder, capsys):
    world.write_untrained(folder / "made", "7")
    call_command("classifier_release", "install", str(folder / "made"))
    call_command("classifier_release", "activate", "untrained 7")
    call_command("classifier_release", "list")
    printed = capsys.readouterr().out
    assert "untrained 7 is installed" in printed and "untrained 7: in use" in printed
    assert "classify_backlog --release" in printed
    with pytest.raises(CommandError, match="No release was in use before"):
        call_command("classifier_release", "rollback")
    with pytest.raises(CommandError, match="no model release"):
        call_command("classifier_release", "activate", "nothing 1")
    with pytest.raises(CommandError, match="no model release"):
        call_command("classifier_release", "install", str(folder / "nowhere"))
    with pytest.raises(NotFound):
        release_named("nothing 1")


def test_the_demonstration_of_an_older_code_gives_way_to_the_present_one(folder):
    older = install(folder, "0", is_demonstration=True)
    activate_release(actor=SYSTEM, release=older)
    assert ensure_demonstration(actor=SYSTEM) is None
    ModelRelease.objects.update(folder="")
    present = ensure_demonstration(actor=SYSTEM)
    assert present and present.label != older.label and active_release() == present
