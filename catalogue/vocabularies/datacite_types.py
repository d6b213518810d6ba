"""The controlled lists of the DataCite Metadata Schema that the catalogue stores: kernel 4.6, with 4.7's additions.

Source: https://schema.datacite.org/meta/kernel-4.6/ and kernel-4.7. The lists only grow within kernel 4, so that a
value of 4.6 is good in 4.7; `NEW_IN_4_7` says what must not be sent to a service that still checks against 4.6.
"""

RELATION_TYPES: tuple[str, ...] = (
    "IsCitedBy", "Cites", "IsSupplementTo", "IsSupplementedBy", "IsContinuedBy", "Continues", "IsNewVersionOf",
    "IsPreviousVersionOf", "IsPartOf", "HasPart", "IsPublishedIn", "IsReferencedBy", "References", "IsDocumentedBy",
    "Documents", "IsCompiledBy", "Compiles", "IsVariantFormOf", "IsOriginalFormOf", "IsIdenticalTo", "HasMetadata",
    "IsMetadataFor", "Reviews", "IsReviewedBy", "IsDerivedFrom", "IsSourceOf", "Describes", "IsDescribedBy",
    "HasVersion", "IsVersionOf", "Requires", "IsRequiredBy", "Obsoletes", "IsObsoletedBy", "Collects", "IsCollectedBy",
    "HasTranslation", "IsTranslationOf", "Other",
)  # fmt: skip

CONTRIBUTOR_TYPES: tuple[str, ...] = (
    "ContactPerson", "DataCollector", "DataCurator", "DataManager", "Distributor", "Editor", "HostingInstitution",
    "Producer", "ProjectLeader", "ProjectManager", "ProjectMember", "RegistrationAgency", "RegistrationAuthority",
    "RelatedPerson", "Researcher", "ResearchGroup", "RightsHolder", "Sponsor", "Supervisor", "Translator",
    "WorkPackageLeader", "Other",
)  # fmt: skip

RESOURCE_TYPES: tuple[str, ...] = (
    "Audiovisual", "Award", "Book", "BookChapter", "Collection", "ComputationalNotebook", "ConferencePaper",
    "ConferenceProceeding", "DataPaper", "Dataset", "Dissertation", "Event", "Image", "Instrument",
    "InteractiveResource", "Journal", "JournalArticle", "Model", "OutputManagementPlan", "PeerReview",
    "PhysicalObject", "Poster", "Preprint", "Presentation", "Project", "Report", "Service", "Software", "Sound",
    "Standard", "StudyRegistration", "Text", "Workflow", "Other",
)  # fmt: skip

RELATED_IDENTIFIER_TYPES: tuple[str, ...] = (
    "ARK", "arXiv", "bibcode", "CSTR", "DOI", "EAN13", "EISSN", "Handle", "IGSN", "ISBN", "ISSN", "ISTC", "LISSN",
    "LSID", "PMID", "PURL", "RAiD", "RRID", "SWHID", "UPC", "URL", "URN", "w3id",
)  # fmt: skip

DATE_TYPES: tuple[str, ...] = (
    "Accepted", "Available", "Collected", "Copyrighted", "Coverage", "Created", "Issued", "Other", "Submitted",
    "Updated", "Valid", "Withdrawn",
)  # fmt: skip

DESCRIPTION_TYPES: tuple[str, ...] = (
    "Abstract", "Methods", "SeriesInformation", "TableOfContents", "TechnicalInfo", "Other",
)  # fmt: skip

TITLE_TYPES: tuple[str, ...] = ("AlternativeTitle", "Subtitle", "TranslatedTitle", "Other")

NAME_TYPES: tuple[str, ...] = ("Personal", "Organizational")

FUNDER_IDENTIFIER_TYPES: tuple[str, ...] = ("ROR", "Crossref Funder ID", "ISNI", "GRID", "Other")

NEW_IN_4_7: dict[str, tuple[str, ...]] = {
    "relation": ("Other",),
    "contributor": (),
    "resource": ("Poster", "Presentation"),
    "relatedIdentifier": ("RAiD", "SWHID"),
}

_FORWARD_AND_BACK = (
    ("IsCitedBy", "Cites"),
    ("IsSupplementTo", "IsSupplementedBy"),
    ("IsContinuedBy", "Continues"),
    ("IsNewVersionOf", "IsPreviousVersionOf"),
    ("IsPartOf", "HasPart"),
    ("IsReferencedBy", "References"),
    ("IsDocumentedBy", "Documents"),
    ("IsCompiledBy", "Compiles"),
    ("IsVariantFormOf", "IsOriginalFormOf"),
    ("HasMetadata", "IsMetadataFor"),
    ("Reviews", "IsReviewedBy"),
    ("IsDerivedFrom", "IsSourceOf"),
    ("Describes", "IsDescribedBy"),
    ("HasVersion", "IsVersionOf"),
    ("Requires", "IsRequiredBy"),
    ("Obsoletes", "IsObsoletedBy"),
    ("Collects", "IsCollectedBy"),
    ("HasTranslation", "IsTranslationOf"),
    ("IsIdenticalTo", "IsIdenticalTo"),
)
# What the other side of a relation says; IsPublishedIn and Other have no inverse.
INVERSE_RELATIONS: dict[str, str] = {
    **dict(_FORWARD_AND_BACK),
    **{back: forward for forward, back in _FORWARD_AND_BACK},
}
