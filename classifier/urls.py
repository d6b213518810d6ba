"""Routes of the classifier's pages and of its API. The portal includes them where the app is installed."""

from django.urls import path

from classifier.api import views as api
from classifier.views import curate, images, models, register, structure, upload

urlpatterns = [
    path("classify", upload.classify_page, name="classify"),
    path("classify/<uuid:uid>", upload.submission_page, name="classify-submission"),
    path("classify/<uuid:uid>/remove", upload.remove_page, name="classify-remove"),
    path("classify/<uuid:uid>/retry", upload.retry_page, name="classify-retry"),
    path("classify/<uuid:uid>/register", register.register_page, name="classify-register"),
    path("classify/images/<uuid:uid>", images.image_page, name="classify-image"),
    path("classify/images/<uuid:uid>/opinion", images.opinion_page, name="classify-opinion"),
    *(
        path(f"classify/images/<uuid:uid>/{kind}.webp", images.image_picture, {"kind": kind}, name=f"classify-{kind}")
        for kind in ("preview", "thumbnail")
    ),
    path("classify/images/<uuid:uid>/saliency.webp", images.image_saliency, name="classify-saliency"),
    path("classify/datasets/<uuid:uid>", images.dataset_images_page, name="classify-dataset"),
    path("classify/datasets/<uuid:uid>/agree", images.agree_page, name="classify-dataset-agree"),
    path("curate/labels", curate.labels_page, name="curate-labels"),
    path("curate/categories", curate.categories_page, name="curate-categories"),
    path("curate/structure", structure.studies_page, name="curate-structure"),
    path("curate/structure/<uuid:uid>", structure.study_page, name="curate-study"),
    path("curate/structure/<uuid:uid>/report.html", structure.study_report, name="curate-study-report"),
    path("models", models.models_page, name="models"),
    path("models/<str:name>/<str:release>", models.model_page, name="model"),
    path("models/<str:name>/<str:release>/files/<str:file>", models.model_file, name="model-file"),
    path("help/classify", models.help_page, name="help-classify"),
    path("api/v1/classifications", api.Classifications.as_view(), name="api-classifications"),
    path("api/v1/classifications/<uuid:uid>", api.ClassificationDetail.as_view(), name="api-classification"),
]
