from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"
    verbose_name = "SEM classifier"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of new images, and say what is checked every night."""
        from catalogue import events, invariants
        from classifier import receivers
        from classifier.invariants import CHECKS

        events.datasets_changed.connect(receivers.on_datasets_changed, dispatch_uid="classifier.datasets")
        invariants.add_checks(*CHECKS)
