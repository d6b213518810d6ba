from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "search"
    verbose_name = "Search"

    def ready(self) -> None:
        """Say who tries datasets again that could not be indexed."""
        from catalogue import outbox
        from search import sync
        from search.engines import engine

        outbox.register_handler(
            sync.TOPIC, lambda uid, _payload: sync.index_alone(engine(), uid), longest_pause=sync.LONGEST_PAUSE
        )
