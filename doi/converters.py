"""DOIs in addresses of this site."""


class DoiConverter:
    """A DOI as it is written after https://doi.org/. Its suffix may hold slashes, so that nothing may follow but an ending."""

    regex = r"10\.\d{4,9}/.+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
