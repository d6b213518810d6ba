"""The names of what images show: those that models know, those that people propose, and what curators make of these."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet

from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import Annotation
from catalogue.services.annotations import CATEGORY, LONGEST_LABEL, verify_label
from classifier.models import Category, CategoryState, ModelRelease, Opinion
from classifier.selectors import Viewer, visible_images

MOST_SUGGESTIONS = 100
DECISIONS = ("accept", "refuse", "merge")


@dataclass(frozen=True)
class Proposal:
    """A category that somebody proposed, with how many images of the catalogue and of uploads were given it."""

    category: Category
    image_count: int
    upload_count: int


def clean_category_name(text: str) -> str:
    name = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    if not 2 <= len(name) <= LONGEST_LABEL:
        message = f"The name of a category has 2 to {LONGEST_LABEL} characters."
        raise InvalidInput(message, fields={"category": [message]})
    return name


def find_or_propose(*, actor: Principal, text: str, known: Iterable[str] = ()) -> Category:
    """The category that `text` names, in whatever case; a merged one leads to that which it became, an unknown one is proposed.

    `known` are the labels of a model: these are no proposals. Raises InvalidInput for what curators refused.
    """
    name = clean_category_name(text)
    found = Category.objects.select_related("merged_into").filter(name__iexact=name).first()
    if found is None:
        found = _propose(actor, name, {label.lower(): label for label in known})
    if found.state == CategoryState.REFUSED:
        message = f"The curators do not use the category “{found.name}”. Choose another one."
        raise InvalidInput(message, code="category-refused", fields={"category": [message]})
    return found.merged_into or found


def _propose(actor: Principal, name: str, known: dict[str, str]) -> Category:
    label = known.get(name.lower())
    state = CategoryState.ACCEPTED if label else CategoryState.PROPOSED
    try:
        with transaction.atomic():
            return Category.objects.create(
                name=label or name, state=state, proposed_by_id=None if label else actor.user_id
            )
    except IntegrityError:
        return Category.objects.get(name__iexact=name)


def suggested_names(viewer: Viewer, *, now: datetime) -> list[str]:
    """Names to choose from beside those that the model knows: accepted ones, own proposals, and proposals for images that the
    viewer may see. What somebody wrote of an image that is closed to the viewer is not among them."""
    seen = visible_images(viewer, now=now).order_by().values("pk")
    wanted = Q(state=CategoryState.ACCEPTED) | Q(state=CategoryState.PROPOSED, opinions__image__in=seen)
    if viewer.principal.user_id is not None:
        wanted |= Q(state=CategoryState.PROPOSED, proposed_by=viewer.principal.user_id)
    names = Category.objects.filter(wanted).distinct().order_by("name").values_list("name", flat=True)
    return list(names[:MOST_SUGGESTIONS])


def proposals(principal: Principal) -> list[Proposal]:
    """What waits for a decision, the most used first."""
    check_curator(principal)
    images = Count("opinions__image", filter=Q(opinions__image__datafile__isnull=False), distinct=True)
    uploads = Count("opinions__image", filter=Q(opinions__image__submission__isnull=False), distinct=True)
    rows = Category.objects.filter(state=CategoryState.PROPOSED).annotate(images=images, uploads=uploads)
    return [Proposal(row, row.images, row.uploads) for row in rows.order_by("-images", "-uploads", "name")[:200]]


def accepted_categories() -> QuerySet[Category]:
    return Category.objects.filter(state=CategoryState.ACCEPTED).select_related("parent").order_by("name")


def names_without_model(release: ModelRelease | None) -> set[str]:
    """Accepted categories that the model in use cannot say: people alone give them."""
    known = set(release.labels) if release else set()
    return {name for name in accepted_categories().values_list("name", flat=True) if name not in known}


def decide_proposal(*, actor: Principal, key: int, decision: str, into: str = "", parent: str = "") -> Category:
    """Accept a proposed category (below `parent`, where one is named), refuse it, or merge it into the category named `into`.

    Merging takes what people said of images over to that category, verified labels of the catalogue included.
    """
    check_curator(actor)
    if decision not in DECISIONS:
        raise InvalidInput("Accept the proposal, refuse it, or merge it into another category.")
    with transaction.atomic():
        category = Category.objects.select_for_update().filter(pk=key).first()
        if category is None:
            raise NotFound("There is no such category.")
        if category.state != CategoryState.PROPOSED:
            raise Conflict(
                f"“{category.name}” was decided before: {category.get_state_display()}.", code="already-decided"
            )
        if decision == "merge":
            _merge(actor, category, _accepted(into, "into"))
        elif decision == "accept":
            category.parent = _accepted(parent, "parent") if parent.strip() else None
            category.state = CategoryState.ACCEPTED
        else:
            category.state = CategoryState.REFUSED
        category.save()
        after = {"decision": decision, "into": into}
        write_audit(actor=actor, action="decide-category", record=category, after=after)
    return category


def _accepted(name: str, field: str) -> Category:
    found = accepted_categories().filter(name__iexact=name.strip()).first()
    if found is None:
        message = "Name a category that is accepted already."
        raise InvalidInput(message, fields={field: [message]})
    return found


def _merge(actor: Principal, category: Category, target: Category) -> None:
    category.state, category.merged_into = CategoryState.MERGED, target
    Category.objects.filter(merged_into=category).update(merged_into=target)
    Opinion.objects.filter(category=category).update(category=target)
    rows = Annotation.objects.filter(kind=CATEGORY, label=category.name).select_related(
        "datafile__dataset__investigation"
    )
    for row in rows.order_by("pk"):
        verify_label(actor=actor, datafile=row.datafile, kind=CATEGORY, text=target.name)


def check_curator(principal: Principal) -> None:
    if not principal.sees_everything:
        raise NotAllowed("This is for the curators of the site.")
