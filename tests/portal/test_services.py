"""The servers that other tests stand on do start, and are real."""

import psycopg
import pytest
import redis


def test_postgresql_of_the_tests_answers(postgres_url: str):
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_redis_of_the_tests_answers(redis_url: str):
    client = redis.Redis.from_url(redis_url)
    assert client.ping()
    client.close()


@pytest.mark.browser
def test_chromium_of_the_tests_shows_a_page(browser):
    page = browser.new_page()
    page.set_content("<h1>Faircat</h1>")
    assert page.inner_text("h1") == "Faircat"
    page.close()
