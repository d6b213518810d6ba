"""Routes of searching. The API's is among them, because no app below knows search."""

from django.urls import include, path

from search import api
from search.panosc import views as panosc_views
from search.views import exports, page, saved, suggestions
from search.views import help as views_help

urlpatterns = [
    path("search", page.search_page, name="search"),
    path("search/suggestions", suggestions.suggestions, name="search-suggestions"),
    path("search.csv", exports.search_csv, name="search-csv"),
    path("search.jsonl", exports.search_jsonl, name="search-jsonl"),
    path("search.atom", exports.search_atom, name="search-atom"),
    path("me/searches", saved.saved_searches, name="saved-searches"),
    path("search/feeds/<str:secret>", saved.feed, name="saved-search-feed"),
    path("api/v1/search", api.Search.as_view(), name="api-search"),
    path("panosc", panosc_views.Status.as_view(), name="panosc-status"),
    path("panosc/", include("search.panosc.urls")),
    path("help/search", views_help.search_help, name="search-help"),
]
