"""Words in Graph's error envelope, and of the token endpoint. Source: graph.md 1.8, 2.12, 3, 4 and 5.

Keys are in lower case: documentation and services spell them differently.
"""

from postroom.operations.decoder.aadsts import Row


def _lower(rows: dict[str, tuple[str, str, str]]) -> dict[str, Row]:
    return {code.lower(): Row(*row) for code, row in rows.items()}


# ruff: noqa: E501 -- a table reads better in one line per code

SPELLED: dict[str, tuple[str, str, str]] = {
    # -- signing in
    "InvalidAuthenticationToken": ("Token refused", "The access token is missing, too old or for another service.", "reconnect"),
    "unauthenticated": ("Not signed in", "Graph does not know who asks.", "reconnect"),
    "AuthenticationError": ("Not signed in", "Graph does not know who asks.", "reconnect"),
    "insufficient_claims": ("Another check asked for", "A policy wants the person to prove themselves again.", "mfa"),
    "TokenNotFound": ("Token unknown", "The token is not known any more.", "reconnect"),
    # -- rights
    "ErrorAccessDenied": ("Access denied", "A permission is missing, or the person has no right to that mailbox.", "mailbox_access"),
    "Authorization_RequestDenied": ("Directory permission missing", "The app may not read that in the directory.", "admin_consent"),
    "accessDenied": ("Access to files denied", "The permission for files or sites is missing.", "files_access"),
    "ErrorSendAsDenied": ("May not send from here", "The person has no right to send as this mailbox.", "send_as"),
    "extensionError": ("Wrapped error", "The mailbox is on premises, or an access policy keeps apps away from it.", "app_policy"),
    "notAllowed": ("Not allowed", "The service does not allow this operation here.", "files_access"),
    # -- the mailbox
    "MailboxNotEnabledForRESTAPI": ("No mailbox in Exchange Online", "No licence, no mailbox, or one on your own server.", "mailbox_licence"),
    "ErrorMailboxNotEnabledForRESTAPI": ("No mailbox in Exchange Online", "No licence, no mailbox, or one on your own server.", "mailbox_licence"),
    "MailboxNotSupportedForRESTAPI": ("Mailbox not supported", "This kind of mailbox cannot be reached through Graph.", "mailbox_licence"),
    "ErrorMailboxNotSupportedForRESTAPI": ("Mailbox not supported", "This kind of mailbox cannot be reached through Graph.", "mailbox_licence"),
    "ErrorNonExistentMailbox": ("No such mailbox", "The address has no mailbox.", "mailbox_licence"),
    "ErrorInvalidUser": ("Address unknown", "The address of the mailbox cannot be resolved.", "mailbox_licence"),
    "ErrorMailboxStoreUnavailable": ("Mailbox offline", "The mailbox's database is offline or moving.", "wait"),
    "ErrorMailboxMoveInProgress": ("Mailbox is moving", "The mailbox is being moved; listings start anew afterwards.", "wait"),
    "MailboxInfoStale": ("Wrong server asked", "The request reached a server that no longer has the mailbox.", "wait"),
    "ErrorIncorrectRoutingHint": ("Wrong server asked", "The request names the wrong server for the mailbox.", "bug"),
    # -- the item
    "ErrorItemNotFound": ("Item gone", "The message or folder was moved, deleted, or may not be seen.", "gone"),
    "itemNotFound": ("File gone", "The file was moved, deleted, or may not be seen.", "gone"),
    "ResourceNotFound": ("Not found", "The mailbox, user or object is not there.", "gone"),
    "Request_ResourceNotFound": ("Not in the directory", "The directory object is not there.", "gone"),
    "ErrorInvalidIdMalformed": ("Id not readable", "The id in the request is none, or of another kind.", "bug"),
    "ErrorIrresolvableConflict": ("Changed meanwhile", "The item was changed elsewhere in between.", "conflict"),
    "resourceModified": ("Changed meanwhile", "The file was changed elsewhere in between.", "conflict"),
    "ErrorFolderExists": ("Folder name taken", "There is a folder of that name already.", "rename"),
    "ErrorItemExists": ("Name taken", "There is an item of that name already.", "rename"),
    "ErrorDeleteDistinguishedFolder": ("Folder of Outlook's own", "Inbox, Sent Items and the like cannot be deleted.", "own_folder"),
    "ErrorMoveDistinguishedFolder": ("Folder of Outlook's own", "Inbox, Sent Items and the like cannot be moved.", "own_folder"),
    "nameAlreadyExists": ("Name taken", "There is a file or folder of that name already.", "rename"),
    "ErrorCalendarOccurrenceIsDeletedFromRecurrence": ("Date removed", "That date of the series was deleted.", "gone"),
    "ErrorOccurrenceCrossingBoundary": ("Date past its neighbour", "A date of a series cannot pass the one before or after.", "message"),
    # -- cursors
    "SyncStateNotFound": ("Cursor forgotten", "Microsoft no longer knows where we were in a listing.", "resync"),
    "SyncStateInvalid": ("Cursor not valid", "Microsoft no longer accepts where we were in a listing.", "resync"),
    "InvalidSyncStateData": ("Cursor not valid", "Microsoft no longer accepts where we were in a listing.", "resync"),
    "ErrorInvalidSyncStateData": ("Cursor not valid", "Microsoft no longer accepts where we were in a listing.", "resync"),
    "resyncRequired": ("Listing starts anew", "The drive asks for a new listing.", "resync"),
    "resyncChangesApplyDifferences": ("Listing starts anew", "The drive asks for a new listing; its state wins.", "resync"),
    "resyncChangesUploadDifferences": ("Listing starts anew", "The drive asks for a new listing; ours may be newer.", "resync"),
    "ErrorExecuteSearchStaleData": ("Search cursor ended", "A search has to be asked anew.", "resync"),
    # -- too much
    "TooManyRequests": ("Throttled", "Too many requests for the moment.", "throttled"),
    "ErrorTooManyRequests": ("Throttled", "Too many requests for the moment.", "throttled"),
    "ApplicationThrottled": ("Throttled", "More than 4 requests at once, or too many in 10 minutes, on one mailbox.", "throttled"),
    "activityLimitReached": ("Throttled", "Too many requests for the moment.", "throttled"),
    "CommandConcurrencyLimitReached": ("Too much at once", "Too many requests at the same time.", "throttled"),
    "ErrorServerBusy": ("Server busy", "Exchange is busy.", "wait"),
    "ErrorInternalServerError": ("Fault at Microsoft", "Exchange had an error.", "wait"),
    "ErrorInternalServerTransientError": ("Passing fault", "Exchange had a passing error.", "wait"),
    "ErrorTimeoutExpired": ("Took too long", "Exchange did not answer in time.", "wait"),
    "serviceNotAvailable": ("Service unavailable", "Graph is not available for the moment.", "wait"),
    "UnknownError": ("Unknown fault", "Graph answers with an error and no reason.", "wait"),
    "generalException": ("General fault", "Graph answers with an error and no reason.", "wait"),
    # -- sending and storing
    "ErrorInvalidRecipients": ("Recipient missing or wrong", "There is no recipient, or an address is none.", "message"),
    "ErrorExceededMaxRecipientLimit": ("Too many recipients", "The message names more people than the mailbox may write to.", "message"),
    "ErrorMessageSizeExceeded": ("Message too large", "The message is larger than the mailbox or its recipients allow.", "message"),
    "ErrorExceededMessageLimit": ("Daily limit reached", "The mailbox has sent as much as it may in a day.", "sending_limit"),
    "ErrorExceededMessageLimitShowTierUpgrade": ("Daily limit reached", "The mailbox has sent as much as its plan allows in a day.", "sending_limit"),
    "ErrorExceededMaxRecipientLimitBlock": ("Daily recipients reached", "The mailbox has written to as many people as it may in a day.", "sending_limit"),
    "ErrorExceededHourlyMessageLimit": ("Hourly limit reached", "The mailbox has sent as much as it may in an hour.", "sending_limit"),
    "ErrorSubmissionQuotaExceeded": ("Sending limit reached", "The mailbox has sent as much as it may.", "sending_limit"),
    "ErrorMessageSubmissionBlocked": ("Sending blocked", "Microsoft does not let this account send at the moment.", "sending_blocked"),
    "ErrorAccountSuspend": ("Account suspended", "Microsoft has suspended sending; the person must prove who they are.", "sending_blocked"),
    "ErrorAccountSuspendShowTierUpgrade": ("Account suspended", "Microsoft has suspended sending for this account's plan.", "sending_blocked"),
    "ErrorQuotaExceeded": ("Mailbox full", "The mailbox is full.", "mailbox_full"),
    "quotaLimitReached": ("Drive full", "The drive is full.", "mailbox_full"),
    "malwareDetected": ("Malware found", "Microsoft found malware in the file and does not hand it out.", "message"),
    # -- push
    "ValidationError": ("Subscription refused", "Microsoft could not validate the notification address.", "webhook"),
    # -- our own requests
    "InefficientFilter": ("Filter too complex", "The request's filter or order is too complex.", "bug"),
    "ErrorInvalidPropertySet": ("Field is read-only", "The request sets a field that cannot be set.", "bug"),
    "ErrorMimeContentInvalidBase64String": ("Message not readable", "The message in the request is not well formed.", "bug"),
    "InvalidInternetMessageHeader": ("Header not allowed", "Only headers beginning with x- may be set.", "bug"),
    "ErrorInvalidInternetMessageHeader": ("Header not allowed", "Only headers beginning with x- may be set.", "bug"),
    "InvalidInternetMessageHeaderCollection": ("Too many headers", "A message may have at most five headers of ours.", "bug"),
    "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize": ("Attachment too small", "Small attachments must be sent in one piece.", "bug"),
    "BadRequest": ("Request refused", "Graph could not read the request.", "bug"),
    "invalidRequest": ("Request refused", "Graph could not read the request, or could not validate a notification address.", "webhook"),
    "invalidRange": ("Range not valid", "The part of a file asked for is not there.", "bug"),
    "notSupported": ("Not supported", "The service does not have this operation.", "bug"),
    # -- words of the token endpoint
    "invalid_grant": ("Grant not usable", "The sign-in ended, was revoked, or lacks consent or a second factor.", "reconnect"),
    "interaction_required": ("A person is needed", "The person has to sign in on Microsoft's page.", "reconnect"),
    "login_required": ("A person is needed", "The person has to sign in on Microsoft's page.", "reconnect"),
    "consent_required": ("No consent", "A permission has not been allowed.", "consent"),
    "access_denied": ("Declined", "The person or a policy said no on Microsoft's page.", "consent"),
    "invalid_client": ("App's credentials refused", "The client secret is wrong, missing or has ended.", "secret"),
    "unauthorized_client": ("App not allowed", "The app is not installed or switched off in this organisation.", "app_id"),
    "invalid_scope": ("Scope not valid", "A scope in the request does not exist.", "bug"),
    "invalid_resource": ("Resource missing", "The organisation has no such service.", "service"),
    "unsupported_grant_type": ("Request refused", "The kind of grant is not supported.", "bug"),
    "temporarily_unavailable": ("Service busy", "Entra is busy.", "wait"),
    "server_error": ("Fault at Entra", "Entra had an error.", "wait"),
}  # fmt: skip

GRAPH: dict[str, Row] = _lower(SPELLED)
SPELLING: dict[str, str] = {code.lower(): code for code in SPELLED}
