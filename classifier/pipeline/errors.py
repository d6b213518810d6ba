"""What can be wrong with an image, a model or a machine, each with a stable code and a sentence that says what to do."""


class PipelineError(Exception):
    """`code` is stable and for programs; the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class UnreadableImage(PipelineError):
    """The file is not an image that can be read, or a larger one than is allowed. No repetition mends it."""


class FileUnreachable(PipelineError):
    """The bytes of the file cannot be had at the moment, for example because its storage is down. Later they may."""


class ModelRefused(PipelineError):
    """A model release is incomplete, or a file of it is not the one that its manifest names."""


class RuntimeMissing(PipelineError):
    """Nothing that is installed here runs this model."""


class OutOfMemory(PipelineError):
    """The device has no memory for a batch of this size; a smaller one may fit."""
