from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "catalogue"
    verbose_name = "Catalogue"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say who delivers the intents that the catalogue's own services record, and who hears of logins."""
        from django.contrib.auth.signals import user_logged_in

        from catalogue import changes, deliveries, outbox
        from catalogue.views.selection import merge_at_login

        outbox.register_handler("extract", deliveries.extract)
        outbox.register_handler("checksum", deliveries.checksum)
        outbox.register_handler("check-file", deliveries.check_file)
        outbox.register_handler("mail", deliveries.mail)
        outbox.register_handler(changes.TOPIC, changes.raise_many)
        user_logged_in.connect(merge_at_login, dispatch_uid="catalogue.merge_selection")
