"""The stable codes of refusals: what each means and what to do. A test holds this table against the code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    meaning: str
    remedy: str


ERROR_CODES: dict[str, ErrorCode] = {
    "all-or-nothing": ErrorCode(
        "A bulk request asked for all or nothing, and some datasets cannot be accepted.",
        "Mend the datasets that `fields` names and send the request again; nothing was registered.",
    ),
    "already-decided": ErrorCode("A request was decided or taken back before.", "Read it again; it is decided once."),
    "already-open": ErrorCode("The data are open, and what is open never closes again.", "There is nothing to do."),
    "already-registered": ErrorCode(
        "The facility has an investigation with this visit id.", "Read that investigation and change it instead."
    ),
    "already-requested": ErrorCode("A request waits for its decision.", "Wait, or take it back first."),
    "authentication-failed": ErrorCode(
        "The token is unknown, expired or revoked.", "Make a new token on your tokens page."
    ),
    "bad-cursor": ErrorCode("A page's cursor leads nowhere.", "Begin again at the first page."),
    "bad-request": ErrorCode("The request could not be understood.", "Check its headers and its address."),
    "being-delivered": ErrorCode("DataCite is being told of this DOI at the moment.", "Look again in a minute."),
    "busy": ErrorCode("Others are changing the collection at the same moment.", "Try again."),
    "category-refused": ErrorCode("The curators do not use this category.", "Choose another one."),
    "checksums-pending": ErrorCode(
        "A bag names the checksums of all files, and some are not computed yet.",
        "Try again some minutes after the registration, or take the ordinary ZIP.",
    ),
    "collection-cycle": ErrorCode("A collection would hold itself.", "Leave that collection out."),
    "collection-fixed": ErrorCode(
        "The collection is being published or was published: its members stay as they are.", "Begin a new version."
    ),
    "conflict": ErrorCode(
        "The record is not in a state that permits this, or another request was faster.", "Read it again, then decide."
    ),
    "csrf": ErrorCode("A form was too old, or cookies are blocked.", "Reload the page; programs use a token instead."),
    "damaged-image": ErrorCode("The file begins as an image and cannot be decoded.", "Copy or upload it again."),
    "decoder-unavailable": ErrorCode(
        "Images cannot be decoded on this site at the moment.", "It is tried again by itself."
    ),
    "doi-reserved": ErrorCode("The draft has a DOI, which may be cited already.", "Publish it, or keep the draft."),
    "empty-file": ErrorCode("The file is empty.", "Copy or upload it again."),
    "file-exists": ErrorCode("Another file lies at this place of the storage.", "Choose another folder."),
    "file-missing": ErrorCode("The file is not in its storage any more.", "Ask the owner of the storage."),
    "file-registered": ErrorCode(
        "A file belongs to a dataset already.", "Leave the file out, or add it under another name."
    ),
    "file-too-large": ErrorCode("The file is larger than the site reads.", "Crop or compress the image."),
    "file-unreadable": ErrorCode("The file could not be read from its storage.", "Ask the owner of the storage."),
    "files-not-intact": ErrorCode(
        "Some files have changed or vanished since they were registered.", "Leave them out, or ask the facility."
    ),
    "gone": ErrorCode("The record was withdrawn.", "Its page says why."),
    "idempotency-conflict": ErrorCode(
        "The Idempotency-Key was used for another request.", "Use a new key for each request."
    ),
    "idempotency-in-work": ErrorCode(
        "The first request with this Idempotency-Key has not ended.", "Send it again after the time in Retry-After."
    ),
    "internal": ErrorCode("The mistake is ours; it was logged.", "Try again; if it stays, tell us the request id."),
    "images-registered": ErrorCode("Some of these images are registered already.", "Choose the others."),
    "invalid": ErrorCode("Some values cannot be accepted.", "`fields` says which, where and why."),
    "malformed": ErrorCode("The body is no JSON, or holds what cannot be stored.", "Check how the body is made."),
    "method-not-allowed": ErrorCode("This address does not take this method.", "See the documentation of the API."),
    "names-people": ErrorCode(
        "This names people, and you came by a link that hides them.", "Open the address in a private window."
    ),
    "no-dois": ErrorCode("The site has no account at DataCite.", "Ask an administrator."),
    "no-files": ErrorCode("The request brings no file.", "Send at least one, in a field named `files`."),
    "no-images": ErrorCode("There are no images to work on.", "Choose others, or a wider range."),
    "no-model": ErrorCode("No model is in use on this site.", "Ask an administrator; the image is kept."),
    "not-acceptable": ErrorCode(
        "Nothing that the header Accept takes is to be had. The API answers in JSON only.",
        "Accept application/json; of a record, one of the types that `fields` lists.",
    ),
    "not-allowed": ErrorCode(
        "You are known, but may not do this.", "Ask the principal investigator or a curator; check the token's scopes."
    ),
    "not-an-image": ErrorCode("The file is no image that can be read.", "Send TIFF, PNG, JPEG, BMP or GIF."),
    "not-authenticated": ErrorCode("This needs an account.", "Send a token: `Authorization: Bearer ...`."),
    "not-found": ErrorCode("There is no such record, or none that you may see.", "Check the address; log in."),
    "not-newest": ErrorCode("A newer version of the collection exists.", "Go on from the newest version."),
    "not-published": ErrorCode("The collection is not published.", "Publish it first."),
    "not-readable": ErrorCode(
        "You may not read a dataset that you want to add.", "Ask for access to it, or leave it out."
    ),
    "nothing-to-download": ErrorCode("None of the files may be downloaded by you.", "Choose open datasets."),
    "orcid-taken": ErrorCode("The ORCID iD or the account belongs to another.", "Ask an administrator."),
    "others-refused": ErrorCode("Another dataset of an all-or-nothing request was refused.", "Mend that one."),
    "out-of-memory": ErrorCode(
        "The machine has no memory for the model at the moment.", "It is tried again by itself."
    ),
    "parse-error": ErrorCode("The body could not be read.", "Send JSON."),
    "permission-denied": ErrorCode("The account or the token may not write.", "Use a token with the scope `register`."),
    "precondition-required": ErrorCode(
        "A change does not say from which version it was made.", "Send If-Match with the ETag that you got."
    ),
    "reading-timeout": ErrorCode(
        "Reading the image took too long and was stopped.", "Save it in another form, and send it again."
    ),
    "registration-key-taken": ErrorCode(
        "The registration key names a dataset of another investigation.", "Use a key of its own."
    ),
    "release-exists": ErrorCode(
        "The folder holds a finished release.", "Name another folder; a release never changes."
    ),
    "role-changed": ErrorCode("Somebody else wrote what a member is for.", "Read it again, then repeat your change."),
    "selection-full": ErrorCode("The selection takes no more datasets.", "Download or empty it first."),
    "stale-version": ErrorCode(
        "Somebody changed the record since you read it.", "Read it again, then repeat your change."
    ),
    "storage-unavailable": ErrorCode("The storage does not answer at present.", "Try again later."),
    "tesseract-hung": ErrorCode(
        "Reading the banner took too long and was stopped.", "The scale is unknown; the rest is not concerned."
    ),
    "tesseract-missing": ErrorCode(
        "The site cannot read banners: Tesseract is not installed.", "Ask an administrator."
    ),
    "text-changed": ErrorCode("Somebody else changed the same field.", "Compare both values and choose one."),
    "throttled": ErrorCode("Too many requests.", "Wait for the time in Retry-After; register in bulk."),
    "token-refused": ErrorCode("The token was not accepted.", "Make a new token on your tokens page."),
    "too-few-pixels": ErrorCode("Nothing can be seen on so few pixels.", "Send the whole image."),
    "too-large": ErrorCode("The body is larger than the site accepts.", "Send fewer entries in one request."),
    "too-many-drafts": ErrorCode("You have too many drafts.", "Finish or remove some."),
    "too-many-files": ErrorCode("Too many files for one download.", "Choose fewer datasets, or use the list of files."),
    "too-many-images": ErrorCode(
        "More images than one upload may have.", "Send fewer at once; nothing of this request was kept."
    ),
    "too-many-kept": ErrorCode("You keep more images than one person may.", "Register or remove some."),
    "too-many-pixels": ErrorCode("The picture has more pixels than the site reads.", "Make it smaller."),
    "too-many-requests": ErrorCode("Too many requests.", "Wait for the time in Retry-After."),
    "too-many-storages": ErrorCode("You have declared too many storages.", "Ask an administrator to declare one."),
    "too-many-waiting": ErrorCode("Too many images of yours wait to be classified.", "Send more when these are done."),
    "training-begun": ErrorCode(
        "The folder holds a training that was begun.", "Go on with it by --resume, or name another folder."
    ),
    "unavailable": ErrorCode("A part of the site does not answer at present.", "Try again later."),
    "under-embargo": ErrorCode("The data are not open yet.", "The record says from when they are."),
    "unknown-doi": ErrorCode("This site has no published record with this DOI.", "Check the DOI."),
    "unknown-pixels": ErrorCode(
        "The pixels of this image are of a kind that is not read.", "Save it as 8 or 16 bit grey."
    ),
    "unsupported-media-type": ErrorCode("The body is no JSON.", "Send Content-Type: application/json."),
    "version-begun": ErrorCode("A draft of the next version exists already.", "Go on with that draft."),
    "visitor-limit": ErrorCode(
        "Visitors have sent as much from this address as they may in an hour.", "Sign in, or wait."
    ),
    "weights-missing": ErrorCode("There is no file with weights at this place.", "Name one that exists."),
    "withdrawn": ErrorCode("The record was withdrawn and is not changed any more.", "Its page says why."),
}
