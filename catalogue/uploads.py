"""How files that are uploaded reach the disk: at once, and no more of them than the address takes (`settings.UPLOADS_TO`)."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Writes to temporary files, which are removed with the request, and refuses a request that states too many bytes."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: bytes, encoding: str | None = None
    ) -> None:
        if content_length > most_bytes(self.request.path):
            raise RequestDataTooBig("The files of this form are larger than is allowed at its address.")


def most_bytes(path: str) -> int:
    """How large a form with files may be at `path`."""
    sizes = (size for start, size in settings.UPLOADS_TO.items() if path == start or path.startswith(f"{start}/"))
    return max(sizes, default=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
