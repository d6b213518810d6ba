from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "search"
    verbose_name = "Search"

    def ready(self) -> None:
        """Say who tries datasets again that could not be indexed."""
        from catalogue import outbox
        from search.engines import engine
        from search.indexing import sync

        outbox.register_handler(
            sync.TOPIC, lambda uid, _payload: sync.index_alone(engine(), uid), longest_pause=sync.LONGEST_PAUSE
        )
