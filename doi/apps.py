from django.apps import AppConfig


class DoiConfig(AppConfig):
    name = "doi"
    verbose_name = "DOIs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say who delivers to DataCite, who hears of changes, and what is checked every night."""
        from catalogue import events, invariants, outbox
        from doi import delivery, receivers
        from doi.invariants import CHECKS

        outbox.register_handler(
            delivery.TOPIC, delivery.deliver, lease=delivery.lease(), longest_pause=delivery.LONGEST_PAUSE
        )
        events.investigations_changed.connect(receivers.on_investigations_changed, dispatch_uid="doi.investigations")
        events.datasets_changed.connect(receivers.on_datasets_changed, dispatch_uid="doi.datasets")
        events.collections_changed.connect(receivers.on_collections_changed, dispatch_uid="doi.collections")
        invariants.add_checks(*CHECKS)
