"""Routes of the catalogue's pages. Names have no namespace: templates of every app link to them."""

from django.urls import path, register_converter

from catalogue.converters import FormConverter
from catalogue.derived import Picture
from catalogue.oaipmh.views import oai_page
from catalogue.views import (
    access_requests,
    catalog,
    corrections,
    curate,
    dashboard,
    downloads,
    embargo,
    instruments,
    record_forms,
    records,
    register,
    selection,
    sharing,
    storages,
    tokens,
    withdrawals,
)

register_converter(FormConverter, "form")

urlpatterns = [
    path("oai", oai_page, name="oai"),
    path("datasets/<uuid:uid>", records.dataset_page, name="dataset"),
    path("datasets/<uuid:uid>.<form:suffix>", record_forms.dataset_form, name="dataset-form"),
    path("investigations/<uuid:uid>.<form:suffix>", record_forms.investigation_form, name="investigation-form"),
    path("datasets/<uuid:uid>/corrections", corrections.corrections_page, name="corrections"),
    path("investigations/<uuid:uid>", records.investigation_page, name="investigation"),
    path("investigations/<uuid:uid>/release", embargo.release_page, name="release"),
    path("investigations/<uuid:uid>/release/choose", embargo.choose_page, name="release-choose"),
    path("investigations/<uuid:uid>/extension", embargo.extension_page, name="extension"),
    path(
        "investigations/<uuid:uid>/withdraw",
        withdrawals.withdraw_page,
        {"kind": "investigation"},
        name="investigation-withdraw",
    ),
    path("datasets/<uuid:uid>/embargo", embargo.dataset_page, name="dataset-embargo"),
    path("datasets/<uuid:uid>/withdraw", withdrawals.withdraw_page, {"kind": "dataset"}, name="dataset-withdraw"),
    path("curate/extensions/<uuid:uid>", embargo.decision_page, name="curate-extension"),
    path("instruments/<uuid:uid>", instruments.instrument_page, name="instrument"),
    *(
        path(f"instruments/<uuid:uid>.{suffix}", instruments.instrument_form, {"suffix": suffix})
        for suffix in instruments.WRITERS
    ),
    path("samples/<uuid:uid>", records.sample_page, name="sample"),
    *(
        path(f"catalog.{form}", catalog.catalog_page, {"form": form}, name=f"catalog-{form}")
        for form in ("ttl", "jsonld")
    ),
    path("me", dashboard.dashboard_page, name="dashboard"),
    path(
        "datasets/<uuid:uid>/request-access", access_requests.request_page, {"kind": "dataset"}, name="request-dataset"
    ),
    path(
        "investigations/<uuid:uid>/request-access",
        access_requests.request_page,
        {"kind": "investigation"},
        name="request-investigation",
    ),
    path("access-requests/<uuid:uid>", access_requests.answer_page, name="access-request"),
    path("investigations/<uuid:uid>/access", access_requests.access_page, name="investigation-access"),
    path("investigations/<uuid:uid>/access/<int:grant_id>/revoke", access_requests.revoke_page, name="revoke-grant"),
    path("share", sharing.share_page, name="share"),
    path("share/<str:token>", sharing.open_link, name="share-open"),
    path("shared/<uuid:uid>", sharing.collection_page, name="shared-collection"),
    path("share-links/<uuid:uid>/revoke", sharing.revoke_link, name="share-link-revoke"),
    path("share-links/<slug:kind>/<uuid:uid>", sharing.links_page, name="share-links"),
    path("me/tokens", tokens.tokens_page, name="tokens"),
    path("register", register.register_page, name="register"),
    path("register/<uuid:uid>", register.describe_page, name="register-describe"),
    path("register/<uuid:uid>/files", register.files_page, name="register-files"),
    path("register/<uuid:uid>/check", register.check_page, name="register-check"),
    path("register/<uuid:uid>/remove", register.remove_draft, name="register-remove"),
    path("storages", storages.storages_page, name="storages"),
    path("storages/<uuid:uid>/check", storages.check_now, name="storage-check"),
    path("storages/<uuid:uid>/switch", storages.switch_storage, name="storage-switch"),
    path("curate", curate.curate_page, name="curate"),
    path("curate/log", curate.log_page, name="curate-log"),
    path("curate/deliveries/<int:entry_id>/retry", curate.retry_delivery, name="curate-retry"),
    path("curate/renames/<int:watched_file_id>/accept", curate.accept_renamed_file, name="curate-accept-rename"),
    path("datasets/<uuid:uid>/files/<path:name>", downloads.dataset_file, name="dataset-file"),
    path(
        "datasets/<uuid:uid>/thumbnail.webp",
        downloads.dataset_picture,
        {"kind": Picture.THUMBNAIL},
        name="dataset-thumbnail",
    ),
    path(
        "datasets/<uuid:uid>/preview.webp", downloads.dataset_picture, {"kind": Picture.PREVIEW}, name="dataset-preview"
    ),
    path("datasets/<uuid:uid>/download.zip", downloads.dataset_zip, name="dataset-zip"),
    path("datasets/<uuid:uid>/files.sha256", downloads.dataset_list, {"form": "sha256"}, name="dataset-sha256"),
    path("datasets/<uuid:uid>/files.aria2.txt", downloads.dataset_list, {"form": "aria2"}, name="dataset-aria2"),
    path("datasets/<uuid:uid>/files.rclone.txt", downloads.dataset_list, {"form": "rclone"}, name="dataset-rclone"),
    path("investigations/<uuid:uid>/download.zip", downloads.investigation_zip, name="investigation-zip"),
    path("collections/<uuid:uid>/download.zip", downloads.collection_zip, name="collection-zip"),
    path("selection", selection.selection_page, name="selection"),
    path("selection/download.zip", downloads.selection_zip, name="selection-zip"),
    path("selection/files.sha256", downloads.selection_list, {"form": "sha256"}, name="selection-sha256"),
    path("selection/files.aria2.txt", downloads.selection_list, {"form": "aria2"}, name="selection-aria2"),
    path("selection/files.rclone.txt", downloads.selection_list, {"form": "rclone"}, name="selection-rclone"),
]
