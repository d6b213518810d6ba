"""`/help/harvest`: how programs take records and data. Tests run every example of the page, as it stands, against a site."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalogue.help_pages import Section
from catalogue.newest import newest_changes

SHELL, PYTHON = "shell", "Python"
# What stands for the uid of a dataset while none is open.
NO_DATASET = "00000000-0000-7000-8000-000000000000"
_PERIODS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


@dataclass(frozen=True)
class Command:
    """Something to copy, with `SITE` for the site and `UID` for a dataset; `shows` is in what it prints."""

    title: str
    text: str
    shows: str = ""
    language: str = SHELL

    def written(self, uid: str) -> str:
        return self.text.replace("SITE", settings.SITE_URL).replace("UID", uid)


SECTIONS = (
    Section(
        "oai",
        "All records: OAI-PMH",
        "The whole catalogue in portions, and later only what changed since: also what opened, by the clock alone, and what"
        " was withdrawn. Formats are oai_dc, datacite, oai_datacite and dcat. Resumption tokens stay valid for days.",
        (
            Command("What there is", 'curl "SITE/oai?verb=Identify"', "<Identify>"),
            Command(
                "All records in DataCite’s form, the first page",
                'curl "SITE/oai?verb=ListRecords&metadataPrefix=oai_datacite"',
                "<resource ",
            ),
            Command(
                "What changed since a day, open data only",
                'curl "SITE/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&from=2024-05-01&set=access:open"',
                "<header>",
            ),
            Command("The sets: facilities, instruments, techniques, …", 'curl "SITE/oai?verb=ListSets"', "<setSpec>"),
            Command(
                "All of it, with sickle",
                "from sickle import Sickle\n\n"
                'harvester = Sickle("SITE/oai")\n'
                'for record in harvester.ListRecords(metadataPrefix="oai_dc"):\n'
                "    if record.header.deleted:\n"
                '        print("gone:", record.header.identifier)\n'
                "    else:\n"
                '        print(record.header.identifier, record.metadata["title"][0])',
                "UID",
                PYTHON,
            ),
        ),
    ),
    Section(
        "forms",
        "One record in the form that you want",
        "Add the ending of the form to the address of a dataset, an investigation or a collection, or ask for its media"
        " type at the page itself. Where a form does not fit, the answer 406 lists those that do.",
        (
            Command("schema.org, by its address", 'curl "SITE/datasets/UID.jsonld"', "https://schema.org"),
            Command(
                "The same by its media type",
                'curl -H "Accept: application/ld+json" "SITE/datasets/UID"',
                "https://schema.org",
            ),
            Command("DataCite’s XML", 'curl "SITE/datasets/UID.datacite.xml"', "<resource "),
            Command("DCAT-AP 3 as Turtle", 'curl -H "Accept: text/turtle" "SITE/datasets/UID"', "dcat:"),
            Command("RO-Crate 1.2", 'curl "SITE/datasets/UID.crate.json"', "https://w3id.org/ro/crate/1.2"),
            Command("A citation for BibTeX", 'curl "SITE/datasets/UID.bib"', "@"),
            Command(
                "Again only if it has changed (304 if not)",
                'curl --etag-save record.etag -o record.jsonld "SITE/datasets/UID.jsonld"\n'
                'curl --etag-compare record.etag -o record.jsonld -w "%{http_code}\\n" "SITE/datasets/UID.jsonld"',
                "304",
            ),
        ),
    ),
    Section(
        "signposting",
        "What belongs to a page: FAIR signposting",
        "The head of every record’s page names its identifier, its licence, its people, its forms and its files, as links"
        " with types. What is too much for a head stands in a linkset.",
        (
            Command("The links of a page", 'curl -I "SITE/datasets/UID"', 'rel="describedby"'),
            Command("All of them, as a linkset", 'curl "SITE/datasets/UID.linkset.json"', '"linkset"'),
        ),
    ),
    Section(
        "data",
        "The data themselves",
        "Archives are made while they are sent, and each is an RO-Crate: what its files are is written in it. Whoever takes"
        " much takes the list, and the files by it one after another.",
        (
            Command("Everything of a dataset", 'curl -OJ "SITE/datasets/UID/download.zip"'),
            Command("The same as a BagIt bag", 'curl -OJ "SITE/datasets/UID/download.zip?form=bagit"'),
            Command(
                "The files by a list, and what came whole",
                'curl -O "SITE/datasets/UID/files.sha256"\n'
                "# Into a folder of their own, with aria2:\n"
                'curl -o list.txt "SITE/datasets/UID/files.aria2.txt"\n'
                "# aria2c --input-file=list.txt",
            ),
        ),
    ),
    Section(
        "search",
        "What you look for: search and API",
        "The search of the site as JSON, CSV or a feed, by the same words; and every record with its parameters and files.",
        (
            Command("Search", 'curl "SITE/api/v1/search?q=nanowires"', '"total":1'),
            Command("All hits in a table", 'curl -o datasets.csv "SITE/search.csv?q=nanowires"'),
            Command("A record with all its parameters", 'curl "SITE/api/v1/datasets/UID"', '"parameters"'),
            Command(
                "With a token: your own data too, and wider limits",
                'curl -H "Authorization: Bearer $TOKEN" "SITE/api/v1/datasets"',
                '"results"',
            ),
        ),
    ),
    Section(
        "panosc",
        "Across facilities: the PaNOSC search API",
        "For federations of photon and neutron sources: datasets, documents and instruments, by parameters in any unit and"
        " by techniques.",
        (
            Command(
                "Datasets with their parameters",
                'curl -G "SITE/panosc/api/datasets" \\\n'
                '  --data-urlencode \'filter={"include": [{"relation": "parameters"}], "limit": 5}\'',
                '"pid"',
            ),
            Command("How many", 'curl "SITE/panosc/api/datasets/count"', '"count"'),
        ),
    ),
    Section(
        "pages",
        "All pages: sitemap, feed and catalogue",
        "The sitemap holds every page that is open to everybody, with the moment of its last change. The feed tells of open"
        " data as they open and change, page after page by its link “next”.",
        (
            Command("The lists of pages", 'curl "SITE/sitemap.xml"', "<sitemapindex "),
            Command(
                "The first list of datasets", 'curl --compressed "SITE/sitemap-datasets-1.xml"', "/datasets/UID</loc>"
            ),
            Command("New open data", 'curl "SITE/feeds/new.atom"', "urn:uuid:UID"),
            Command("The catalogue as linked data (DCAT-AP), a page", 'curl "SITE/catalog.ttl"', "dcat:Catalog"),
            Command("All interfaces, for programs", 'curl "SITE/.well-known/api-catalog"', '"linkset"'),
        ),
    ),
)
PATIENT = Command("Waiting as the answer says", 'curl --retry 5 "SITE/sitemap.xml"', "<sitemapindex ")


@require_safe
def harvest_help(request: HttpRequest) -> HttpResponse:
    newest = newest_changes(now=timezone.now(), limit=1)
    uid = str(newest[0].uid) if newest else NO_DATASET
    sections = [
        (section, [{"example": one, "text": one.written(uid)} for one in section.examples]) for section in SECTIONS
    ]
    context = {"sections": sections, "limits": limits(), "patient": PATIENT.written(uid), "has_dataset": bool(newest)}
    return render(request, "portal/harvest_help.html", context)


def limits() -> list[tuple[str, str]]:
    """Who may ask for what how often, in words. Nothing limits what people read."""
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    rows = (
        ("Pages, for a crawler at one address", settings.RATE_CRAWLER),
        ("Searches, exports and archives, for crawlers and for tools without a token", settings.RATE_HEAVY),
        ("OAI-PMH, for one address", settings.RATE_OAI),
        ("API, without a token", rates["anonymous-read"]),
        ("API, with a token", rates["read"]),
    )
    return [(what, rate_in_words(rate)) for what, rate in rows]


def rate_in_words(rate: str) -> str:
    """ "120/m" is "120 a minute"."""
    most, _, period = rate.partition("/")
    return f"{int(most):,} a {_PERIODS[period[:1]]}" if rate else "no limit"
