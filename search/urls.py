"""Routes of searching."""

from django.urls import path

from search import views, views_help

urlpatterns = [
    path("search", views.search_page, name="search"),
    path("help/search", views_help.search_help, name="search-help"),
]
