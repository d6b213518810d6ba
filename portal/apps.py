from django.apps import AppConfig, apps


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Faircat portal"

    def ready(self) -> None:
        """Connect the news of the apps below to what the site does about them."""
        from allauth.account.signals import user_logged_in
        from allauth.socialaccount.signals import social_account_added

        from catalogue import events
        from portal import doorbell, metrics
        from portal.accounts import adapters

        events.outbox_filled.connect(doorbell.ring, dispatch_uid="portal.doorbell")
        events.revisions_raised.connect(doorbell.ring_indexer, dispatch_uid="portal.indexer")
        user_logged_in.connect(adapters.on_login, dispatch_uid="portal.on_login")
        social_account_added.connect(adapters.on_connection, dispatch_uid="portal.on_connection")
        metrics.count_tasks()
        if apps.is_installed("classifier"):
            from classifier.events import many_changed, work_recorded

            many_changed.connect(doorbell.pass_on_datasets, dispatch_uid="portal.classifier.datasets")
            work_recorded.connect(doorbell.ring_classifier, dispatch_uid="portal.classifier")
