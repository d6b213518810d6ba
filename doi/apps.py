from django.apps import AppConfig


class DoiConfig(AppConfig):
    name = "doi"
    verbose_name = "DOIs"
    default_auto_field = "django.db.models.BigAutoField"
