"""What the catalogue holds. Tables and constraints only: who may see a row stands in `access.py`, how it changes in `services/`."""

from catalogue.models.accounts import ApiToken, Organisation, Person, User
from catalogue.models.collections import Collection, CollectionMember, Concept, ReleaseConsent
from catalogue.models.datasets import Annotation, Datafile, Dataset, Parameter, Relation
from catalogue.models.embargo import AccessRequest, EmbargoReminder, ExtensionRequest
from catalogue.models.facilities import Facility, Instrument, Licence, Technique, TechniqueAncestor
from catalogue.models.foreign import ForeignIdentifier, ForeignMember, ForeignTechnique
from catalogue.models.investigations import AccessGrant, Investigation, Proposal, Sample, TeamMember
from catalogue.models.operations import (
    AuditEntry,
    DatasetRevision,
    Download,
    IdempotencyKey,
    OutboxEntry,
    RegistrationDraft,
    SelectedDataset,
    Statistic,
)
from catalogue.models.sharing import ShareLink, ShareLinkUse
from catalogue.models.storages import ScanRun, Storage, WatchedFile, WatchRule

__all__ = [
    "AccessGrant",
    "AccessRequest",
    "Annotation",
    "ApiToken",
    "AuditEntry",
    "Collection",
    "CollectionMember",
    "Concept",
    "Datafile",
    "Dataset",
    "DatasetRevision",
    "Download",
    "EmbargoReminder",
    "ExtensionRequest",
    "Facility",
    "ForeignIdentifier",
    "ForeignMember",
    "ForeignTechnique",
    "IdempotencyKey",
    "Instrument",
    "Investigation",
    "Licence",
    "Organisation",
    "OutboxEntry",
    "Parameter",
    "Person",
    "Proposal",
    "RegistrationDraft",
    "Relation",
    "ReleaseConsent",
    "Sample",
    "ScanRun",
    "SelectedDataset",
    "ShareLink",
    "ShareLinkUse",
    "Statistic",
    "Storage",
    "TeamMember",
    "Technique",
    "TechniqueAncestor",
    "User",
    "WatchRule",
    "WatchedFile",
]
