from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Faircat portal"

    def ready(self) -> None:
        """Connect the news of the apps below to what the site does about them."""
        from catalogue import events
        from portal import doorbell, metrics

        events.outbox_filled.connect(doorbell.ring, dispatch_uid="portal.doorbell")
        metrics.count_tasks()
