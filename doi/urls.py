"""Routes of DOIs. Names have no namespace: templates of every app link to them."""

from django.urls import path, register_converter

from doi.converters import DoiConverter
from doi.views import consents, landing, publishing, texts, wizard

register_converter(DoiConverter, "doi")

urlpatterns = [
    path("doi/new", wizard.new_page, name="doi-new"),
    path("doi/drafts/<uuid:uid>", publishing.draft_page, name="doi-draft"),
    path("doi/drafts/<uuid:uid>/what", wizard.what_page, name="doi-what"),
    path("doi/drafts/<uuid:uid>/describe", texts.describe_page, name="doi-describe"),
    path("doi/drafts/<uuid:uid>/people", texts.people_page, name="doi-people"),
    path("doi/drafts/<uuid:uid>/review", publishing.review_page, name="doi-review"),
    path("doi/drafts/<uuid:uid>/metadata", publishing.metadata_page, name="doi-metadata"),
    path("doi/drafts/<uuid:uid>/publish", publishing.publish_page, name="doi-publish"),
    path("doi/drafts/<uuid:uid>/act", publishing.act_page, name="doi-act"),
    path("doi/drafts/<uuid:uid>/remove", wizard.remove_page, name="doi-remove"),
    path("investigations/<uuid:uid>/doi/retry", publishing.retry_session, name="session-doi-retry"),
    path("consents/<uuid:uid>", consents.consent_page, name="consent"),
    path("doi/<doi:doi>", landing.landing_page, name="landing"),
    path("cite/<doi:doi>.<form:suffix>", landing.doi_form, name="cite"),
]
