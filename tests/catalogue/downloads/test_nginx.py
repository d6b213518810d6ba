"""The hand-over to a real nginx, configured as `docs/concerns/downloads.md` says."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from catalogue.models import Dataset, Storage
from tests import services
from tests.catalogue.downloads.conftest import FILES
from tests.catalogue.downloads.test_files import TIFF, url_of

CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {site}; proxy_set_header Host $http_host; }}
    location /_storages/{uid}/ {{
      internal;
      alias {root}/;
      disable_symlinks on from={root};
      add_header Content-Security-Policy $upstream_http_content_security_policy;
      add_header X-Content-Type-Options nosniff;
      add_header Repr-Digest $upstream_http_repr_digest;
    }}
  }}
}}
"""


@pytest.fixture
def nginx_url(transactional_db: None, live_server: LiveServer, storage: Storage, tmp_path: Path) -> Iterator[str]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed (apt-get install nginx-light)")
    folder, port = tmp_path / "nginx", services.free_port()
    folder.mkdir()
    text = CONFIGURATION.format(folder=folder, port=port, site=live_server.url, uid=storage.uid, root=storage.location)
    (folder / "nginx.conf").write_text(text)
    command = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", "user root;"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        services.wait_until(lambda: services.answers(port), server, "nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        services.stop(server)


def test_nginx_sends_the_file_and_its_ranges_with_our_headers(
    nginx_url: str, open_dataset: Dataset, settings: Settings
) -> None:
    settings.ACCEL_REDIRECT_PREFIX = "/_storages"
    with urlopen(nginx_url + url_of(open_dataset)) as response:
        assert response.read() == FILES[TIFF]
        assert response.headers["Content-Disposition"].startswith("attachment;")
        assert response.headers["Content-Security-Policy"].startswith("sandbox;")
        assert response.headers["Repr-Digest"].startswith("sha-256=:")
        assert response.headers["Server"].startswith("nginx")
        etag = response.headers["ETag"]
    part = Request(nginx_url + url_of(open_dataset), headers={"Range": "bytes=3990-", "If-Range": etag})
    with urlopen(part) as response:
        assert (response.status, response.read()) == (206, FILES[TIFF][3990:])


def test_nobody_reaches_the_folder_behind_nginx_without_the_site(
    nginx_url: str, open_dataset: Dataset, storage: Storage
) -> None:
    address = f"{nginx_url}/_storages/{storage.uid}/{open_dataset.uid}/empty.dat"
    ended = subprocess.run(
        ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", address],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "404"
