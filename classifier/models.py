"""Images that are classified, what was found in them, the models that did it, and what is still to be done.

An image is one that somebody uploaded, or a file of the catalogue: then it is as closed as that file, whatever stands here.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from catalogue.models import Datafile, Investigation
from catalogue.models.base import Record


class ReleaseState(models.TextChoices):
    CANDIDATE = "candidate", "candidate"
    ACTIVE = "active", "in use"
    RETIRED = "retired", "no longer in use"


class ModelRelease(Record):
    """One trained model with everything that is needed to use and to judge it. Never changed, only activated and retired.

    `manifest` is that of `classifier/pipeline/releases.py`; `digest` its SHA-256; `folder` lies below `settings.CLASSIFIER_DIR`
    / "releases", or is empty for the demonstration model that comes with the code. `label` names it in annotations.
    """

    name = models.CharField(max_length=60)
    release = models.CharField(max_length=30)
    state = models.CharField(max_length=10, choices=ReleaseState.choices, default=ReleaseState.CANDIDATE)
    is_demonstration = models.BooleanField(default=False)
    digest = models.CharField(max_length=64)
    folder = models.CharField(max_length=200, blank=True)
    manifest = models.JSONField(default=dict)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["name", "release"], name="release_unique"),
            models.UniqueConstraint(fields=["state"], name="release_one_active", condition=Q(state="active")),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return f"{self.name} {self.release}"

    @property
    def labels(self) -> list[str]:
        return list(self.manifest["labels"])


class CategoryState(models.TextChoices):
    PROPOSED = "proposed", "proposed"
    ACCEPTED = "accepted", "accepted"
    MERGED = "merged", "merged into another"
    REFUSED = "refused", "refused"


class Category(models.Model):
    """A node of the tree of what images can show. Which of them a model knows stands in the manifest of its release."""

    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    description = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=CategoryState.choices, default=CategoryState.PROPOSED)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(Lower("name"), name="category_name_unique"),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False)
                | (~Q(state="merged") & Q(merged_into__isnull=True)),
                name="category_merged_into_one",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="category_not_below_itself"),
        ]

    def __str__(self) -> str:
        return self.name


class Submission(Record):
    """Images that were uploaded together. One without an owner belongs to the browser's session that knows its uid, and is
    removed after `expires_at` with its files."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)
    # Files that were refused, as {"name", "code", "message"}: they are told, and not kept.
    refusals = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | Q(expires_at__isnull=False), name="submission_of_nobody_expires"
            )
        ]


class Image(Record):
    """An uploaded image, kept at `classifier/uploads/<uid>` below the data folder, or a file of the catalogue.

    `metadata` are the parameters that were read from an uploaded file, as {"group", "name", "value", "unit"}; private ones are
    left out. `registered_as` is the file of the catalogue that an upload became.
    """

    submission = models.ForeignKey(Submission, models.CASCADE, null=True, blank=True, related_name="images")
    datafile = models.OneToOneField(Datafile, models.CASCADE, null=True, blank=True, related_name="classified_image")
    registered_as = models.ForeignKey(Datafile, models.SET_NULL, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=1000)
    size = models.PositiveBigIntegerField(null=True, blank=True, help_text="Bytes")
    sha256 = models.CharField(max_length=64, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    metadata = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(submission__isnull=False, datafile__isnull=True)
                | Q(submission__isnull=True, datafile__isnull=False),
                name="image_uploaded_or_catalogued",
            )
        ]

    def __str__(self) -> str:
        return self.name


class WorkKind(models.TextChoices):
    CATEGORY = "category", "what it shows"
    SCALE = "scale", "how large it is"


class WorkState(models.TextChoices):
    WAITING = "waiting", "waiting"
    RUNNING = "running", "being worked on"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class Work(models.Model):
    """One thing to find out about one image, once for each model release: the queue, and what became of it.

    A worker claims rows by compare-and-set until `claimed_until`; one that dies leaves rows that are claimed again. `release`
    is empty for the scale. `error_code` and `error` say for the owner why it failed.
    """

    image = models.ForeignKey(Image, models.CASCADE, related_name="work", db_index=False)
    kind = models.CharField(max_length=10, choices=WorkKind.choices)
    release = models.ForeignKey(ModelRelease, models.CASCADE, null=True, blank=True, related_name="+")
    queue = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=WorkState.choices, default=WorkState.WAITING)
    available_at = models.DateTimeField(auto_now_add=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "work"
        constraints = [
            models.UniqueConstraint(
                fields=["image", "release"], name="work_once_a_release", condition=Q(release__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["image", "kind"], name="work_once_scale", condition=Q(release__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(kind="category", release__isnull=False) | Q(kind="scale", release__isnull=True),
                name="work_release_of_category",
            ),
        ]
        indexes = [
            models.Index(fields=["image"], name="work_by_image"),
            models.Index(
                fields=["queue", "available_at", "id"],
                name="work_undone",
                condition=Q(state__in=["waiting", "running"]),
            ),
            models.Index(fields=["-updated_at"], name="work_failed", condition=Q(state="failed")),
        ]


class Prediction(models.Model):
    """What one release says of one image. `probabilities` are in the order of the release's labels, calibrated.

    `features` are little-endian float16, scaled to length 1, kept for images that resemble; `cell` is the number of the
    nearest of the release's centroids, so that the nearest are looked for among few.
    """

    image = models.ForeignKey(Image, models.CASCADE, related_name="predictions")
    release = models.ForeignKey(ModelRelease, models.CASCADE, related_name="predictions", db_index=False)
    label = models.CharField(max_length=200)
    confidence = models.FloatField()
    probabilities = models.JSONField()
    is_uncertain = models.BooleanField()
    strangeness = models.FloatField()
    is_strange = models.BooleanField()
    features = models.BinaryField()
    cell = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "release"], name="prediction_unique"),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="prediction_confidence_range"
            ),
        ]
        indexes = [
            models.Index(fields=["release", "cell", "-id"], name="prediction_by_cell"),
            models.Index(fields=["release", "confidence", "id"], name="prediction_by_confidence"),
        ]


class Scale(models.Model):
    """How large an image is: `ScaleFinding` of `classifier/pipeline/results.py`, lengths in metres, the bar in pixels."""

    image = models.OneToOneField(Image, models.CASCADE, related_name="scale")
    printed_value = models.FloatField(null=True, blank=True)
    bar_left = models.PositiveIntegerField(null=True, blank=True)
    bar_row = models.PositiveIntegerField(null=True, blank=True)
    bar_length = models.FloatField(null=True, blank=True)
    pixel_size = models.FloatField(null=True, blank=True)
    field_of_view = models.FloatField(null=True, blank=True)
    source = models.CharField(max_length=10, blank=True)
    confidence = models.FloatField(default=0.0)
    disagreements = models.JSONField(default=list, blank=True)
    fields = models.JSONField(default=list, blank=True)
    missing = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class Opinion(models.Model):
    """What a person says that an image shows, and what the model in use said then. Of files of the catalogue it is also an
    annotation; nothing here is a label of record."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="opinions", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    category = models.ForeignKey(Category, models.PROTECT, related_name="opinions")
    prediction = models.ForeignKey(Prediction, models.SET_NULL, null=True, blank=True, related_name="+")
    agrees = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["image", "-id"], name="opinion_by_image")]


class StructureStudy(Record):
    """Unknown structure in the features of many images: parameters, figures and the tree, which lie in files of a folder
    `classifier/studies/<uid>` below the data folder. `investigation` limits it to images of one session."""

    title = models.CharField(max_length=200)
    release = models.ForeignKey(ModelRelease, models.PROTECT, related_name="studies")
    investigation = models.ForeignKey(Investigation, models.PROTECT, null=True, blank=True, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    parameters = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "structure studies"

    def __str__(self) -> str:
        return self.title
