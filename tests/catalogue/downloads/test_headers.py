import pytest

from catalogue.downloads.headers import content_disposition, repr_digest, safe_media_type


def test_a_name_is_given_exactly_and_in_ascii() -> None:
    assert content_disposition("a/Größe 1.tif") == (
        "attachment; filename=\"Gr__e 1.tif\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.tif"
    )


def test_no_name_breaks_out_of_its_header() -> None:
    value = content_disposition('a"; filename="b\r\nSet-Cookie: c.html')
    assert "\r" not in value and "\n" not in value
    assert value.count('"') == 2


@pytest.mark.parametrize(
    "media_type",
    [
        *("text/html", "TEXT/HTML", "image/svg+xml", "application/xhtml+xml", "text/javascript", "application/xml"),
        *("", "nonsense", "text/plain; charset=x", "image/png\r\nX: y", "application/pdf", "multipart/mixed"),
    ],
)
def test_what_a_browser_could_run_becomes_plain_bytes(media_type: str) -> None:
    assert safe_media_type(media_type) == "application/octet-stream"


@pytest.mark.parametrize("media_type", ["image/tiff", "application/x-hdf5", "text/csv", "application/vnd.nexus+hdf"])
def test_types_of_data_are_kept(media_type: str) -> None:
    assert safe_media_type(media_type) == media_type


def test_a_digest_is_written_as_rfc_9530_has_it() -> None:
    """The content {"hello": "world"} and a line feed, as in the examples of RFC 9530."""
    digest = "44aff4ab2d7c3250525675a08f0cfa9591168cffe51791c5f5bbc417c15a6c38"
    assert repr_digest(digest) == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
