"""Who may do what at every route of the site. A route of the URL conf without a row here fails the tests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from catalogue.interop.forms import FORMS
from tests.access import dois
from tests.access.world import STATES, World

READERS = {"member", "pi", "contact", "granted", "partner", "curator", "administrator"}
CURATORS = {"curator", "administrator"}
TEAM = {"member", "pi", "contact", "curator", "administrator"}
LEADERS = TEAM - {"member"}
DECIDERS = {"pi", "curator", "administrator"}
MEMBER = frozenset({"member"})


@dataclass(frozen=True)
class Route:
    """`kind` names the rule for GET, see `expected_status`. `writes` tells whether other methods may change something,
    and `writers` for whom; everybody else's attempts must change nothing."""

    pattern: str
    kind: str
    example: Callable[[World, str], str]
    writers: frozenset[str] = frozenset()


def record(kind: str, path: str) -> Callable[[World, str], str]:
    def example(world: World, state: str) -> str:
        uid = getattr(world, kind)[state].uid
        return "/" + path.replace("<uuid:uid>", str(uid))

    return example


def instrument(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path.replace("<uuid:uid>", str(world.datasets[state].instrument.uid))


def file_address(world: World, state: str) -> str:
    dataset = world.datasets[state]
    return f"/datasets/{dataset.uid}/files/{quote(dataset.files.get().name)}"


def draft(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path.replace("<uuid:uid>", str(world.draft.uid))


def collection(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path.replace("<uuid:uid>", str(world.collection.uid))


def storage(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path.replace("<uuid:uid>", str(world.storage.uid))


def upload(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path.replace("<uuid:uid>", str(world.classified.submission.uid))


def study(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path.replace("<uuid:uid>", str(world.classified.study.uid))


def classified_image(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path.replace("<uuid:uid>", str(world.classified.images[state].uid))


def uploaded_image(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path.replace("<uuid:uid>", str(world.classified.upload.uid))


def fixed(path: str) -> Callable[[World, str], str]:
    return lambda world, state: "/" + path


PAGES = [
    *(
        Route(path, "public", fixed(path))
        for path in ("", "status", "policy", "accessibility", "about", "search", "search/suggestions", "help/search")
    ),
    *(Route(path, "crawled", fixed(path)) for path in ("search.csv", "search.jsonl", "search.atom")),
    *(Route(path, "public", fixed(path)) for path in ("catalog.ttl", "catalog.jsonld")),
    Route("datasets/<uuid:uid>", "record", record("datasets", "datasets/<uuid:uid>")),
    Route("investigations/<uuid:uid>", "investigation", record("investigations", "investigations/<uuid:uid>")),
    *(
        Route(f"instruments/<uuid:uid>{form}", "public", instrument(f"instruments/<uuid:uid>{form}"))
        for form in ("", ".pidinst.json", ".pidinst.xml")
    ),
    Route("samples/<uuid:uid>", "metadata", record("samples", "samples/<uuid:uid>")),
    Route(
        "datasets/<uuid:uid>/corrections",
        "team",
        record("datasets", "datasets/<uuid:uid>/corrections"),
        writers=frozenset(TEAM),
    ),
    *(
        Route(path, "login", fixed(path), writers=frozenset({"anybody"}))
        for path in ("me", "me/searches", "register", "storages")
    ),
    Route("search/feeds/<str:secret>", "crawled", fixed("search/feeds/wrong")),
    *(
        Route(f"register/<uuid:uid>{step}", "draft", draft(f"register/<uuid:uid>{step}"), writers=frozenset({"member"}))
        for step in ("", "/files", "/check", "/remove")
    ),
    *(
        Route(
            f"storages/<uuid:uid>/{verb}",
            "post only",
            storage(f"storages/<uuid:uid>/{verb}"),
            frozenset({"administrator"}),
        )
        for verb in ("check", "switch")
    ),
    Route("curate", "curator", fixed("curate")),
    Route("curate/log", "curator", fixed("curate/log")),
    Route(
        "curate/deliveries/<int:entry_id>/retry",
        "post only",
        lambda world, state: f"/curate/deliveries/{world.delivery.pk}/retry",
        writers=frozenset(CURATORS),
    ),
    Route(
        "curate/renames/<int:watched_file_id>/accept",
        "post only",
        lambda world, state: f"/curate/renames/{world.renamed.pk}/accept",
        writers=frozenset(CURATORS),
    ),
]

SHARING = [
    *(
        Route(
            f"{records}/<uuid:uid>/request-access",
            kind,
            record(records, f"{records}/<uuid:uid>/request-access"),
            frozenset({"anybody"}),
        )
        for records, kind in (("datasets", "request"), ("investigations", "login"))
    ),
    Route(
        "access-requests/<uuid:uid>",
        "request answer",
        lambda world, state: f"/access-requests/{world.access_request.uid}",
        frozenset(LEADERS),
    ),
    Route(
        "investigations/<uuid:uid>/access",
        "sharers",
        record("investigations", "investigations/<uuid:uid>/access"),
        frozenset(LEADERS),
    ),
    Route(
        "investigations/<uuid:uid>/access/<int:grant_id>/revoke",
        "post only",
        lambda world, state: f"/investigations/{world.investigations['closed'].uid}/access/{world.grant.pk}/revoke",
        frozenset(LEADERS),
    ),
    Route(
        "share-links/<slug:kind>/<uuid:uid>",
        "sharers",
        lambda world, state: f"/share-links/dataset/{world.datasets[state].uid}",
        frozenset(LEADERS),
    ),
    Route(
        "share-links/<uuid:uid>/revoke",
        "post only",
        lambda world, state: f"/share-links/{world.share_link.uid}/revoke",
        frozenset(LEADERS),
    ),
    Route("shared/<uuid:uid>", "draft of a collection", collection("shared/<uuid:uid>")),
    Route("share", "public", fixed("share"), writers=frozenset({"anybody"})),
    Route("share/<str:token>", "crawled", fixed("share/wrong")),
]

DOWNLOADS = [
    Route("datasets/<uuid:uid>/files/<path:name>", "files", file_address),
    *(
        Route(f"datasets/<uuid:uid>/{name}", "files", record("datasets", f"datasets/<uuid:uid>/{name}"))
        for name in (
            "thumbnail.webp",
            "preview.webp",
            "download.zip",
            "files.sha256",
            "files.aria2.txt",
            "files.rclone.txt",
        )
    ),
    Route(
        "investigations/<uuid:uid>/download.zip",
        "crawled",
        record("investigations", "investigations/<uuid:uid>/download.zip"),
    ),
    Route("selection", "public", fixed("selection"), writers=frozenset({"anybody"})),
    *(
        Route(f"selection/{name}", "crawled", fixed(f"selection/{name}"))
        for name in ("download.zip", "files.sha256", "files.aria2.txt", "files.rclone.txt")
    ),
]

LANDING_PAGES = [
    Route("doi/<doi:doi>", "public", lambda world, state: f"/doi/{dois.doi_of_session(state)}"),
    Route("doi/<doi:doi>", "public", fixed(f"doi/{dois.PUBLISHED}")),
    Route("doi/<doi:doi>", "moved", fixed(f"doi/{dois.CONCEPT}")),
    Route("doi/<doi:doi>", "reserved", fixed(f"doi/{dois.RESERVED}")),
    *(
        Route("cite/<doi:doi>.<form:suffix>", kind if form.suits is None else "crawled", fixed(f"cite/{doi}.{suffix}"))
        for suffix, form in FORMS.items()
        for doi, kind in (
            (dois.doi_of_session("closed"), "public"),
            (dois.PUBLISHED, "public"),
            (dois.RESERVED, "reserved"),
        )
    ),
    Route(
        "collections/<uuid:uid>/download.zip",
        "crawled",
        lambda world, state: f"/collections/{world.published.uid}/download.zip",
    ),
]

RECORD_FORMS = [
    *(
        Route(
            "datasets/<uuid:uid>.<form:suffix>",
            ("public" if form.is_citable else "record") if form.suits is None else "crawled",
            record("datasets", f"datasets/<uuid:uid>.{form.suffix}"),
        )
        for form in FORMS.values()
    ),
    *(
        Route(
            "investigations/<uuid:uid>.<form:suffix>",
            "investigation",
            record("investigations", f"investigations/<uuid:uid>.{form.suffix}"),
        )
        for form in FORMS.values()
        if "investigation" in form.kinds
    ),
]

DOIS = [
    *LANDING_PAGES,
    *RECORD_FORMS,
    Route("doi/new", "login", fixed("doi/new"), writers=frozenset({"anybody"})),
    *(
        Route(f"doi/drafts/<uuid:uid>{step}", "collection", collection(f"doi/drafts/<uuid:uid>{step}"), frozenset(TEAM))
        for step in ("", "/what", "/describe", "/people", "/review", "/metadata")
    ),
    Route("doi/drafts/<uuid:uid>/publish", "leaders", collection("doi/drafts/<uuid:uid>/publish"), frozenset(LEADERS)),
    *(
        Route(f"doi/drafts/<uuid:uid>{step}", "post only", collection(f"doi/drafts/<uuid:uid>{step}"), frozenset(TEAM))
        for step in ("/act", "/remove")
    ),
    Route(
        "investigations/<uuid:uid>/doi/retry",
        "post only",
        record("investigations", "investigations/<uuid:uid>/doi/retry"),
        frozenset(TEAM),
    ),
    Route(
        "consents/<uuid:uid>",
        "consent",
        lambda world, state: f"/consents/{world.consent.uid}",
        frozenset({"pi", "curator", "administrator"}),
    ),
]

MACHINES = [
    *(Route(path, "public", fixed(path)) for path in ("healthz",)),
    *(Route(path, "crawled", fixed(path)) for path in ("readyz", "metrics")),
    Route("oai", "public", fixed("oai?verb=ListRecords&metadataPrefix=oai_datacite")),
    *(
        Route(path, "public", fixed(path))
        for path in (
            "help/harvest",
            "feeds/new.atom",
            "robots.txt",
            "llms.txt",
            "opensearch.xml",
            ".well-known/security.txt",
            ".well-known/api-catalog",
        )
    ),
    Route(".well-known/change-password", "moved", fixed(".well-known/change-password")),
    Route("sitemap.xml", "public", fixed("sitemap.xml")),
    *(
        Route("sitemap-<slug:section>-<int:part>.xml", "public", fixed(f"sitemap-{section}-1.xml"))
        for section in ("datasets", "investigations", "dois")
    ),
    Route("demo/login/<str:token>", "crawled", fixed("demo/login/wrong")),
]

API = [
    Route("me/tokens", "login", fixed("me/tokens"), writers=frozenset({"anybody"})),
    *(Route(path, "public", fixed(path)) for path in ("api/schema", "api/docs", "api/errors")),
    *(
        Route(f"api/v1/{name}", "public", fixed(f"api/v1/{name}"))
        for name in ("me", "instruments", "facilities", "techniques", "licences", "selection")
    ),
    *(Route(f"api/v1/{name}", "curators' list", fixed(f"api/v1/{name}")) for name in ("audit-log", "problems")),
    Route("api/v1/search", "question", fixed("api/v1/search")),
    Route("api/v1/datasets", "public", fixed("api/v1/datasets"), writers=frozenset(TEAM)),
    Route("api/v1/datasets/bulk", "machine post", fixed("api/v1/datasets/bulk"), writers=frozenset(TEAM)),
    Route("api/v1/datasets/<uuid:uid>", "record", record("datasets", "api/v1/datasets/<uuid:uid>"), frozenset(TEAM)),
    Route(
        "api/v1/datasets/<uuid:uid>/files",
        "files",
        record("datasets", "api/v1/datasets/<uuid:uid>/files"),
        frozenset(TEAM),
    ),
    *(
        Route(
            f"api/v1/datasets/<uuid:uid>/{name}",
            "machine post",
            record("datasets", f"api/v1/datasets/<uuid:uid>/{name}"),
            frozenset(TEAM),
        )
        for name in ("parameters", "corrections")
    ),
    Route("api/v1/investigations", "public", fixed("api/v1/investigations"), writers=frozenset(CURATORS)),
    Route(
        "api/v1/investigations/<uuid:uid>",
        "investigation",
        record("investigations", "api/v1/investigations/<uuid:uid>"),
        frozenset(TEAM),
    ),
    Route(
        "api/v1/investigations/<uuid:uid>/samples",
        "crawled",
        record("investigations", "api/v1/investigations/<uuid:uid>/samples"),
        frozenset(TEAM),
    ),
    Route(
        "api/v1/investigations/<uuid:uid>/samples/<path:name>",
        "crawled",
        record("investigations", "api/v1/investigations/<uuid:uid>/samples/a"),
        frozenset(TEAM),
    ),
    Route("api/v1/collections", "public", fixed("api/v1/collections")),
    *(
        Route(f"api/v1/collections/<uuid:uid>{part}", "reserved", collection(f"api/v1/collections/<uuid:uid>{part}"))
        for part in ("", "/members")
    ),
    *(
        Route(
            f"api/v1/collections/<uuid:uid>{part}",
            "public",
            lambda world, state, part=part: f"/api/v1/collections/{world.published.uid}{part}",
        )
        for part in ("", "/members")
    ),
    Route("api/v1/samples/<uuid:uid>", "metadata", record("samples", "api/v1/samples/<uuid:uid>")),
    Route("api/v1/instruments/<uuid:uid>", "public", instrument("api/v1/instruments/<uuid:uid>")),
]

# Cookies count for nothing here: whoever comes without a token is a stranger.
PANOSC = [
    *(Route(path, "public", fixed(path)) for path in ("panosc", "panosc/")),
    *(
        Route("panosc/<path:address>", "public", fixed(f"panosc/api/{path}"))
        for path in ("Datasets", "Documents", "Instruments", "datasets/count", "Documents/count", "Instruments/count")
    ),
    *(
        Route("panosc/<path:address>", "open only", record(records, f"panosc/api/{path}"))
        for records, path in (
            ("datasets", "Datasets/<uuid:uid>"),
            ("datasets", "Datasets/<uuid:uid>/files"),
            ("datasets", "Datasets/<uuid:uid>/files/count"),
            ("investigations", "Documents/<uuid:uid>"),
        )
    ),
]

EMBARGO = [
    *(
        Route(
            f"investigations/<uuid:uid>/{name}",
            kind,
            record("investigations", f"investigations/<uuid:uid>/{name}"),
            frozenset(writers),
        )
        for name, kind, writers in (
            ("release", "principal investigator", DECIDERS),
            ("release/choose", "principal investigator", set()),
            ("extension", "embargo", {"pi"}),
            ("withdraw", "curator", CURATORS),
        )
    ),
    Route(
        "datasets/<uuid:uid>/withdraw",
        "curator",
        record("datasets", "datasets/<uuid:uid>/withdraw"),
        frozenset(CURATORS),
    ),
    Route(
        "datasets/<uuid:uid>/embargo",
        "principal investigator",
        record("datasets", "datasets/<uuid:uid>/embargo"),
        frozenset(DECIDERS),
    ),
    Route(
        "api/v1/datasets/<uuid:uid>/embargo",
        "machine post",
        record("datasets", "api/v1/datasets/<uuid:uid>/embargo"),
        frozenset(DECIDERS),
    ),
    Route(
        "curate/extensions/<uuid:uid>",
        "curator",
        lambda world, state: f"/curate/extensions/{world.extension.uid}",
        frozenset(CURATORS),
    ),
    *(
        Route(
            f"api/v1/investigations/<uuid:uid>/{name}",
            "machine post",
            record("investigations", f"api/v1/investigations/<uuid:uid>/{name}"),
            frozenset(writers),
        )
        for name, writers in (("release", DECIDERS), ("extension-requests", {"pi"}))
    ),
]

# Files of the catalogue are as closed as their datasets; an upload is its owner's alone, and no curator's.
CLASSIFIER = [
    Route("classify", "public", fixed("classify"), writers=frozenset({"anybody"})),
    *(Route(path, "public", fixed(path)) for path in ("models", "help/classify")),
    Route("models/<str:name>/<str:release>", "public", fixed("models/model-of-the-world/1")),
    Route("models/<str:name>/<str:release>/files/<str:file>", "crawled", fixed("models/model-of-the-world/1/files/x")),
    Route("curate/labels", "curator", fixed("curate/labels"), frozenset(CURATORS)),
    Route("curate/categories", "curator", fixed("curate/categories"), frozenset(CURATORS)),
    Route("curate/structure", "curator", fixed("curate/structure")),
    Route("curate/structure/<uuid:uid>", "curator", study("curate/structure/<uuid:uid>"), frozenset(CURATORS)),
    Route("curate/structure/<uuid:uid>/report.html", "crawled", study("curate/structure/<uuid:uid>/report.html")),
    Route("classify/<uuid:uid>", "upload", upload("classify/<uuid:uid>")),
    Route("classify/<uuid:uid>/register", "upload to register", upload("classify/<uuid:uid>/register"), MEMBER),
    *(
        Route(f"classify/<uuid:uid>/{verb}", "post only", upload(f"classify/<uuid:uid>/{verb}"), MEMBER)
        for verb in ("remove", "retry")
    ),
    *(
        Route(f"classify/images/<uuid:uid>{part}", kind, image(f"classify/images/<uuid:uid>{part}"))
        for part in ("", "/preview.webp", "/thumbnail.webp", "/saliency.webp")
        for kind, image in (("image", classified_image), ("upload", uploaded_image))
    ),
    Route(
        "classify/images/<uuid:uid>/opinion",
        "post only",
        classified_image("classify/images/<uuid:uid>/opinion"),
        frozenset(TEAM),
    ),
    Route("classify/datasets/<uuid:uid>", "image", record("datasets", "classify/datasets/<uuid:uid>")),
    Route(
        "classify/datasets/<uuid:uid>/agree",
        "post only",
        record("datasets", "classify/datasets/<uuid:uid>/agree"),
        frozenset(TEAM),
    ),
    Route(
        "api/v1/classifications",
        "image",
        record("datasets", "api/v1/classifications?dataset=<uuid:uid>"),
        frozenset(TEAM),
    ),
    Route("api/v1/classifications/<uuid:uid>", "upload", upload("api/v1/classifications/<uuid:uid>")),
]

ROUTES = [*EMBARGO, *PAGES, *SHARING, *DOWNLOADS, *DOIS, *MACHINES, *PANOSC, *API, *CLASSIFIER]


def addresses(world: World, *, is_api: bool | None = None) -> Iterator[tuple[Route, str, str]]:
    """Every route with its address for the records in each state; one address where no record is named."""
    for route in ROUTES:
        if is_api is not None and is_api != route.pattern.startswith("api/"):
            continue
        found: dict[str, str] = {}
        for state in STATES:
            found.setdefault(route.example(world, state), state)
        for url, state in found.items():
            yield route, url, state


def is_foreign(pattern: str) -> bool:
    """Routes of django-allauth and of Django's administration, which their own packages test."""
    return pattern.startswith(("accounts/", "admin/"))


_SHARING_KINDS = ("request", "request answer", "sharers")
_FOR_ACCOUNTS_ONLY = (
    "principal investigator",
    "embargo",
    "team",
    "login",
    "curator",
    "draft",
    "post only",
    "collection",
    "leaders",
    "consent",
    "upload to register",
    *_SHARING_KINDS,
)


def expected_status(kind: str, role: str, state: str) -> set[int]:
    """What a GET may answer. 302 leads to the login page."""
    if role == "visitor" and kind in _FOR_ACCOUNTS_ONLY:
        return {302, 405} if kind in ("draft", "post only") else {302}
    return _FOR_ACCOUNTS[kind](role, state)


def _reads(role: str, state: str) -> bool:
    return state == "open" or role in CURATORS or (state == "closed" and role in READERS)


def _team(role: str, state: str) -> set[int]:
    return {200} if role in CURATORS or (role in TEAM and state != "withdrawn") else {403, 404}


_FOR_ACCOUNTS: dict[str, Callable[[str, str], set[int]]] = {
    "public": lambda role, state: {200},
    "question": lambda role, state: {200},
    "moved": lambda role, state: {302},
    "open only": lambda role, state: {200} if state == "open" else {404},
    "reserved": lambda role, state: {200} if role in TEAM else {404},
    "investigation": lambda role, state: {200},
    "record": lambda role, state: {410} if state == "withdrawn" and role not in CURATORS else {200},
    "metadata": lambda role, state: {200} if _reads(role, state) or state == "withdrawn" and role in READERS else {404},
    "files": lambda role, state: {200} if _reads(role, state) else {403, 404, 410},
    "team": _team,
    "login": lambda role, state: {200},
    "principal investigator": lambda role, state: {200} if role in DECIDERS else {403},
    "embargo": lambda role, state: {200} if role in TEAM else {403},
    "curator": lambda role, state: {200} if role in CURATORS else {403},
    "curators' list": lambda role, state: {200} if role in CURATORS else {403},
    "draft": lambda role, state: {200, 302, 405} if role == "member" else {404, 405},
    "collection": lambda role, state: {200} if role in TEAM else {404},
    "leaders": lambda role, state: {200} if role in LEADERS else {403} if role in TEAM else {404},
    "consent": lambda role, state: {200} if role == "pi" or role in CURATORS else {404},
    "request": lambda role, state: {410} if state == "withdrawn" else {200},
    "request answer": lambda role, state: {200} if role in LEADERS else {404},
    "draft of a collection": lambda role, state: {200} if role in TEAM else {404},
    "sharers": lambda role, state: {200} if role in LEADERS else {404},
    "image": lambda role, state: {200} if _reads(role, state) else {404},
    "upload": lambda role, state: {200} if role == "member" else {404},
    "upload to register": lambda role, state: {200} if role == "member" else {404},
    "post only": lambda role, state: {405},
    "machine post": lambda role, state: {405},
}
