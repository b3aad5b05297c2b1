"""What is wrong with a Twilio account or its sender, in words."""

import re

from .base import Check

# ITU-T E.164 6.2.1
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
# https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")
# https://www.twilio.com/docs/glossary/what-is-a-sid
_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")


def check_account_sid(account_sid):
    """Return what is wrong with the form of an account SID, or None.

    :rtype: Check | None
    """
    if _ACCOUNT_SID.fullmatch(account_sid):
        return None
    return _problem(
        "This is not an account SID: it starts with AC and has 34 characters. Keys that"
        " start with SK are something else."
    )


def judge_account(account):
    """Judge the account as Twilio describes it.

    :param account: ``twilio.rest.api.v2010.account.AccountInstance``
    :rtype: Check
    """
    if not account.status:
        return _problem("The answer is not Twilio's: look at the base URL.")
    if account.status != "active":
        return _problem(
            f"The account is {account.status}: look at its balance and at the messages"
            " in Twilio's console."
        )
    if account.type == "Trial":
        return _problem(
            "A trial account sends to verified numbers only, and adds a text of its"
            " own. Upgrade it in Twilio's console."
        )
    return Check("ok", "Account", account.friendly_name or "")


def judge_refusal(reason, detail):
    """Judge that Twilio did not describe the account.

    :param str reason: as a message would have got it
    :param str detail: what Twilio said
    :rtype: Check
    """
    if reason == "auth_failed":
        words = "Twilio does not accept this account SID with this auth token"
        return _problem(f"{words}: {detail}")
    if reason == "account_refused":
        return _problem(f"Twilio refuses the account: {detail}")
    return Check("unknown", "Account", f"Twilio could not tell now: {detail}")


def check_sender(sender, service_sid):
    """Judge what messages would be sent from.

    :param str sender: number, short code or name; may be empty
    :param str service_sid: of a messaging service, which goes first; may be empty
    :rtype: Check
    """
    if service_sid and _SERVICE_SID.fullmatch(service_sid):
        return Check("ok", "Sender", "The messaging service chooses it.")
    if service_sid:
        detail = "A messaging service SID starts with MG and has 34 characters."
        return Check("problem", "Sender", detail)
    if not sender:
        return Check("problem", "Sender", "Set a sender or a messaging service.")
    if NUMBER.fullmatch(sender) or _SHORT_CODE.fullmatch(sender):
        return Check("ok", "Sender", "")
    if _NAME.fullmatch(sender):
        return Check(
            "ok",
            "Sender",
            "People cannot reply to a name, so not with STOP either: put another way"
            " to unsubscribe into the text.",
        )
    return Check(
        "problem",
        "Sender",
        "Neither a number with + and the country, nor a short code, nor a name of up"
        " to 11 letters and digits.",
    )


def _problem(detail):
    return Check("problem", "Account", detail)
