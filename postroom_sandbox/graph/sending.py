"""Drafts and everything that leaves the mailbox (graph.md 2.9, 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from postroom_sandbox.graph.call import SEND, Call, bad_request, missing
from postroom_sandbox.graph.compose import (
    FORWARD,
    REPLY,
    REPLY_ALL,
    answer_draft,
    from_json,
    from_mime,
    is_mime,
    save_new,
)
from postroom_sandbox.graph.messages import answer
from postroom_sandbox.http import ApiError, Response
from postroom_sandbox.mime import Parsed
from postroom_sandbox.store.model import Message


def create_message(call: Call) -> Response:
    """POST /messages: a draft, from JSON or base64 MIME."""
    return _create(call, None)


def create_in_folder(call: Call, folder: str) -> Response:
    """POST /mailFolders/{id}/messages."""
    return _create(call, folder)


def _create(call: Call, folder: str | None) -> Response:
    where = call.folder(folder) if folder else None
    if is_mime(call):
        return answer(call, save_new(call, from_mime(call), {}, where), 201)
    body = call.request.json_object()
    return answer(call, save_new(call, from_json(call, body), body, where), 201)


def _creates(kind: str) -> Callable[[Call, str], Response]:
    def create(call: Call, message: str) -> Response:
        parsed, body = answer_draft(call, call.message(message), kind, with_comment=False)
        return answer(call, save_new(call, parsed, body), 201)

    create.__doc__ = f"POST /messages/{{id}}/create{kind[0].upper()}{kind[1:]}."
    return create


def _answers(kind: str) -> Callable[[Call, str], Response]:
    def reply(call: Call, message: str) -> Response:
        parsed, body = answer_draft(call, call.message(message), kind, with_comment=True)
        return _submit_new(call, parsed, body, save=True)

    reply.__doc__ = f"POST /messages/{{id}}/{kind}."
    return reply


create_reply, create_reply_all, create_forward = _creates(REPLY), _creates(REPLY_ALL), _creates(FORWARD)
reply, reply_all, forward = _answers(REPLY), _answers(REPLY_ALL), _answers(FORWARD)


def send_draft(call: Call, message: str) -> Response:
    """POST /messages/{id}/send: 202, and later the draft moves to Sent Items."""
    found = call.message(message)
    if not found.is_draft or call.world.transport.is_submitted(call.mailbox, found):
        raise missing(message)
    parsed = call.mailbox.contents.load(found.content, attachments=False)
    before = (parsed.from_, parsed.sender)
    _check(call, parsed)
    if (parsed.from_, parsed.sender) != before:
        call.mailbox.contents.replace(found.content, parsed)
    return _submit(call, found, save=True)


def send_mail(call: Call) -> Response:
    """POST /sendMail: a draft is made and sent; the answer says nothing about it."""
    if is_mime(call):
        return _submit_new(call, from_mime(call), {}, save=True)
    body = {key.lower(): value for key, value in call.request.json_object().items()}
    message = body.get("message")
    if not isinstance(message, dict):
        raise bad_request("The parameter Message is required.", "ErrorInvalidRequest")
    save = body.get("savetosentitems")
    if save not in (None, True, False, "true", "false"):
        raise bad_request("SaveToSentItems must be a boolean.", "RequestBodyRead")
    return _submit_new(call, from_json(call, message), message, save=save not in (False, "false"))


def _submit_new(call: Call, parsed: Parsed, body: dict[str, Any], *, save: bool) -> Response:
    _check(call, parsed)
    return _submit(call, save_new(call, parsed, body), save=save)


def _submit(call: Call, message: Message, *, save: bool) -> Response:
    size = sum(info.size for info in call.mailbox.contents.attachments(message.content))
    if size > call.limits.message_bytes:
        raise ApiError(413, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
    call.world.transport.submit(call.mailbox, message, save=save)
    return Response(202)


def _check(call: Call, parsed: Parsed) -> None:
    """What is refused at once; everything else comes back as a report."""
    everyone = [*parsed.to, *parsed.cc, *parsed.bcc]
    if not everyone or any(not address for _, address in everyone):
        message = "At least one recipient is not valid. No recipients are set."
        raise bad_request(message, "ErrorInvalidRecipients")
    if len(everyone) > call.limits.recipients:
        raise bad_request("The message has too many recipients.", "ErrorExceededMaxRecipientLimit")
    if call.world.transport.recipients_today(call.user) + len(everyone) > call.limits.recipients_per_day:
        personal = call.user.kind == "personal"
        code = "ErrorExceededMessageLimit" if personal else "ErrorSubmissionQuotaExceeded"
        raise ApiError(429, code, "The message can't be submitted because the sender's submission quota was exceeded.")
    _check_sender(call, parsed)


def _check_sender(call: Call, parsed: Parsed) -> None:
    """Who may send as whom (graph.md 6): Send As shows only the other address, on behalf shows both. An alias is put
    back to the primary address where the tenant does not send from aliases (a user's detail `sendFromAlias`: no)."""
    caller = call.principal.user
    address = parsed.from_[1].lower() if parsed.from_ else call.user.address.lower()
    if address in (known.lower() for known in caller.addresses):
        if caller.details.get("sendFromAlias") == "no":
            parsed.from_ = (caller.name, caller.address)
        parsed.sender = parsed.from_
        return
    other, key = call.world.user_by_address(address), caller.address.lower()
    if other is not None and key in other.send_as:
        parsed.sender = parsed.from_
    elif other is not None and key in other.send_on_behalf:
        parsed.sender = (caller.name, caller.address)
    else:
        other = None
    if other is None or not call.principal.may(*SEND.shared):
        message = (
            "The user account which was used to submit this request does not have the right to send mail on behalf"
        )
        raise ApiError(403, "ErrorSendAsDenied", f"{message} of the specified sending account.")
