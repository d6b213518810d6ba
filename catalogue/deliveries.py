"""What is done for each intent that the catalogue's services record in the outbox; safe to repeat."""

from uuid import UUID

from catalogue.access import SYSTEM
from catalogue.errors import Unavailable
from catalogue.outbox import Retry
from catalogue.services.extraction import extract_dataset
from catalogue.services.fixity import check_file as check_one_file
from catalogue.services.fixity import checksum_dataset
from catalogue.services.mails import send_mail


def extract(key: str, payload: dict) -> None:
    """`key` is the uid of a dataset whose files are to be read."""
    try:
        extract_dataset(actor=SYSTEM, uid=UUID(key))
    except Unavailable as error:
        raise Retry(error.message) from error


def checksum(key: str, payload: dict) -> None:
    """`key` is the uid of a dataset whose files were not checked yet."""
    try:
        checksum_dataset(actor=SYSTEM, uid=UUID(key))
    except Unavailable as error:
        raise Retry(error.message) from error


def check_file(key: str, payload: dict) -> None:
    """`key` is the primary key of a file that the watcher saw change, vanish or come back."""
    try:
        check_one_file(actor=SYSTEM, datafile_id=int(key))
    except Unavailable as error:
        raise Retry(error.message) from error


def mail(key: str, payload: dict) -> None:
    """`key` names the mail, which is in `payload`: the account, the subject and the text."""
    send_mail(key, user_id=payload["user"], subject=payload["subject"], body=payload["body"])
