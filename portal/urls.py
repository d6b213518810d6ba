"""All routes. The access tests walk this table: a route without a row in their matrix fails them."""

from allauth.account.decorators import secure_admin_login
from django.apps import apps
from django.contrib import admin
from django.urls import include, path

from portal import discovery, feeds, harvest_help, health, metrics, sitemap, views
from portal.accounts import login_links

handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.permission_denied"
handler404 = "portal.errors.page_not_found"
handler500 = "portal.errors.server_error"

# Administrators log in as everybody does: with rate limits and their second factor.
admin.site.login = secure_admin_login(admin.site.login)

urlpatterns = [
    path("", views.home_page, name="home"),
    path("status", views.status_page, name="status"),
    path("policy", views.policy_page, name="policy"),
    path("accessibility", views.accessibility_page, name="accessibility"),
    path("about", views.about_page, name="about"),
    path("", include("catalogue.urls")),
    path("", include("search.urls")),
    path("", include("doi.urls")),
    *([path("", include("classifier.urls"))] if apps.is_installed("classifier") else []),
    path("api/", include("catalogue.api.urls")),
    path("feeds/new.atom", feeds.new_data, name="new-data-feed"),
    path("help/harvest", harvest_help.harvest_help, name="harvest-help"),
    path("robots.txt", discovery.robots, name="robots"),
    path("llms.txt", discovery.llms, name="llms"),
    path("opensearch.xml", discovery.opensearch, name="opensearch"),
    path(".well-known/security.txt", discovery.security, name="security-txt"),
    path(".well-known/api-catalog", discovery.api_catalog, name="api-catalog"),
    path(".well-known/change-password", discovery.change_password, name="change-password"),
    path("sitemap.xml", sitemap.index, name="sitemap"),
    path("sitemap-<slug:section>-<int:part>.xml", sitemap.listed, name="sitemap-list"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("demo/login/<str:token>", login_links.use_login_link, name="login-link"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
