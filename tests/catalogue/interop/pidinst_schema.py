"""The properties of PIDINST 1.0 as a JSON schema, written from its table. No assertion belongs here."""

TEXT = {"type": "string", "minLength": 1}


def listed(*required: str, **properties: dict) -> dict:
    return {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": list(required),
            "properties": properties,
            "additionalProperties": False,
        },
    }


def identified(name: str) -> dict:
    names = [name, f"{name}Type"]
    return {
        "type": "object",
        "required": names,
        "properties": dict.fromkeys(names, TEXT),
        "additionalProperties": False,
    }


# The table of properties of the schema, version 1.0 (Krahl et al. 2022, https://doi.org/10.15497/RDA00070, CC BY 4.0):
# which are mandatory, and the values of its closed lists.
SCHEMA = {
    "type": "object",
    "required": ["identifier", "schemaVersion", "landingPage", "name", "owners", "manufacturers"],
    "additionalProperties": False,
    "properties": {
        "identifier": identified("identifier"),
        "schemaVersion": {"const": "1.0"},
        "landingPage": {"type": "string", "pattern": "^https?://"},
        "name": TEXT,
        "owners": listed(
            "ownerName", ownerName=TEXT, ownerContact=TEXT, ownerIdentifier=identified("ownerIdentifier")
        ),
        "manufacturers": listed(
            "manufacturerName", manufacturerName=TEXT, manufacturerIdentifier=identified("manufacturerIdentifier")
        ),
        "model": {
            "type": "object",
            "required": ["modelName"],
            "properties": {"modelName": TEXT, "modelIdentifier": identified("modelIdentifier")},
            "additionalProperties": False,
        },
        "description": TEXT,
        "instrumentTypes": listed(
            "instrumentTypeName",
            instrumentTypeName=TEXT,
            instrumentTypeIdentifier=identified("instrumentTypeIdentifier"),
        ),
        "measuredVariables": {"type": "array", "minItems": 1, "items": TEXT},
        "dates": listed(
            "date",
            "dateType",
            date={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
            dateType={"enum": ["Commissioned", "DeCommissioned"]},
        ),
        "relatedIdentifiers": listed(
            "relatedIdentifier",
            "relatedIdentifierType",
            "relationType",
            relatedIdentifier=TEXT,
            relatedIdentifierType={"enum": ["DOI", "Handle", "PURL", "RRID", "URL", "URN", "w3id"]},
            relationType={
                "enum": [
                    "IsDescribedBy", "IsNewVersionOf", "IsPreviousVersionOf", "HasComponent", "IsComponentOf",
                    "References", "HasMetadata", "WasUsedIn", "IsIdenticalTo", "IsAttachedTo",
                ]
            },
            relatedIdentifierName=TEXT,
        ),
        "alternateIdentifiers": listed(
            "alternateIdentifier",
            "alternateIdentifierType",
            alternateIdentifier=TEXT,
            alternateIdentifierType={"enum": ["SerialNumber", "InventoryNumber", "Other"]},
            alternateIdentifierName=TEXT,
        ),
    },
}  # fmt: skip
