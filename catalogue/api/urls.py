"""Routes below /api/. Names begin with `api-`."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from catalogue.api.views import collections, curation, datasets, embargo, investigations, references, selection
from catalogue.api.views.documentation import ErrorCodes, SwaggerPage

urlpatterns = [
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs", SwaggerPage.as_view(url_name="api-schema"), name="api-docs"),
    path("errors", ErrorCodes.as_view(), name="api-errors"),
    path("v1/me", references.MeDetail.as_view(), name="api-me"),
    path("v1/datasets", datasets.DatasetList.as_view(), name="api-datasets"),
    path("v1/datasets/bulk", datasets.DatasetBulk.as_view(), name="api-datasets-bulk"),
    path("v1/datasets/<uuid:uid>", datasets.DatasetDetail.as_view(), name="api-dataset"),
    path("v1/datasets/<uuid:uid>/files", datasets.DatasetFiles.as_view(), name="api-dataset-files"),
    path("v1/datasets/<uuid:uid>/parameters", datasets.DatasetParameters.as_view(), name="api-dataset-parameters"),
    path("v1/datasets/<uuid:uid>/corrections", datasets.DatasetCorrections.as_view(), name="api-dataset-corrections"),
    path("v1/datasets/<uuid:uid>/embargo", embargo.DatasetEmbargo.as_view(), name="api-dataset-embargo"),
    path("v1/investigations", investigations.InvestigationList.as_view(), name="api-investigations"),
    path("v1/investigations/<uuid:uid>", investigations.InvestigationDetail.as_view(), name="api-investigation"),
    path(
        "v1/investigations/<uuid:uid>/samples",
        investigations.InvestigationSamples.as_view(),
        name="api-investigation-samples",
    ),
    path(
        "v1/investigations/<uuid:uid>/samples/<path:name>",
        investigations.InvestigationSample.as_view(),
        name="api-investigation-sample",
    ),
    path("v1/investigations/<uuid:uid>/release", embargo.Release.as_view(), name="api-release"),
    path("v1/investigations/<uuid:uid>/extension-requests", embargo.ExtensionRequests.as_view(), name="api-extensions"),
    path("v1/collections", collections.CollectionList.as_view(), name="api-collections"),
    path("v1/collections/<uuid:uid>", collections.CollectionDetail.as_view(), name="api-collection"),
    path("v1/collections/<uuid:uid>/members", collections.CollectionMembers.as_view(), name="api-collection-members"),
    path("v1/samples/<uuid:uid>", investigations.SampleDetail.as_view(), name="api-sample"),
    path("v1/selection", selection.SelectionList.as_view(), name="api-selection"),
    path("v1/audit-log", curation.AuditLog.as_view(), name="api-audit-log"),
    path("v1/problems", curation.ProblemList.as_view(), name="api-problems"),
    path("v1/instruments", references.InstrumentList.as_view(), name="api-instruments"),
    path("v1/instruments/<uuid:uid>", references.InstrumentDetail.as_view(), name="api-instrument"),
    path("v1/facilities", references.FacilityList.as_view(), name="api-facilities"),
    path("v1/techniques", references.TechniqueList.as_view(), name="api-techniques"),
    path("v1/licences", references.LicenceList.as_view(), name="api-licences"),
]
