"""The tests. They mirror the applications; what several of them need stands in `conftest.py` and `services.py`."""
