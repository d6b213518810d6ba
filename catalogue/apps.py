from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "catalogue"
    verbose_name = "Catalogue"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say who delivers the intents that the catalogue's own services record."""
        from catalogue import deliveries, outbox

        outbox.register_handler("extract", deliveries.extract)
        outbox.register_handler("checksum", deliveries.checksum)
        outbox.register_handler("check-file", deliveries.check_file)
