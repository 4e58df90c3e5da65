"""The addresses that stand in mails. Tokens are made here, at the moment of sending, and stored nowhere.

The web floor is above this one, so the paths are written out; a test holds that each leads to its page.
"""

import uuid
from collections.abc import Mapping

from flask import current_app

from ...config import current_settings
from ...tokens import Purpose, Signer, unsubscribe_token

#: Path by page. `{token}` is filled by one of ours, `{slug}` by an issue's.
PATHS: Mapping[str, str] = {
    "public.confirm": "/confirm/{token}",
    "public.not_me": "/not-me/{token}",
    "public.preferences": "/preferences/{token}",
    "public.own_data": "/your-data/{token}",
    "public.rejoin": "/come-back/{token}",
    "public.renew": "/still/{token}",
    "public.new_address": "/new-address/{token}",
    "public.confirm_address": "/confirm-address/{token}",
    "public.undo_address": "/undo-address/{token}",
    "public.unsubscribe": "/u/{token}",
    "public.privacy": "/privacy",
    "contribute.prove": "/contribute/prove/{token}",
    "contribute.sign_in": "/contribute/sign-in",
    "contribute.calls": "/contribute",
    "editor.contributor": "/desk/contributors/{public_id}",
    "admin.accept_invitation": "/join/{token}",
    "account.choose_password": "/password/{token}",
    "account.account": "/desk/account",
    "admin.operations": "/desk/operations",
    "admin.exports": "/desk/settings/exports",
    "contribute.kept": "/contribution/{token}",
    "contribute.section": "/contribution/{token}/section",
    "archive.issue": "/news/{slug}",
    "editor.contribution": "/desk/contributions/{reference}",
    "editor.issue": "/desk/issues/{slug}",
    "editor.subscribers": "/desk/subscribers",
    "editor.issue_approval": "/desk/issues/{slug}/approval",
    "editor.issue_comments": "/desk/issues/{slug}/comments",
    "editor.sending": "/desk/issues/{slug}/sending",
    "contribute.call": "/contribute/{slug}",
    "contribute.nothing": "/contribute/{slug}/nothing/{token}",
    "contribute.more_time": "/contribution/{token}/more-time",
    "editor.call": "/desk/issues/{slug}/call",
    "editor.call_time": "/desk/issues/{slug}/call/time/{extension}",
    "editor.contributions": "/desk/contributions",
}


def link(page: str, **parts: str) -> str:
    """The absolute address of a page. Raises KeyError for one that is not in PATHS."""
    return current_settings().public_url + PATHS[page].format(**parts)


def token_link(page: str, purpose: Purpose, value: uuid.UUID, **parts: str) -> str:
    """The address of a page that a token opens."""
    signer: Signer = current_app.extensions["newsletter_signer"]
    return link(page, token=signer.sign_id(purpose, value), **parts)


def nonce_link(page: str, purpose: Purpose, nonce: bytes) -> str:
    """The address of a page that a notice's own nonce opens."""
    return token_link(page, purpose, uuid.UUID(bytes=nonce))


def unsubscribe_link(subscription: uuid.UUID) -> str:
    """The one address for leaving: the header's, the body's, for ever. `subscription` is its public id."""
    return link("public.unsubscribe", token=unsubscribe_token(current_settings().secret_keys, subscription))


def preferences_link(subscription: uuid.UUID) -> str:
    """The address of a subscriber's preferences; `subscription` is the public id of any of their subscriptions."""
    return token_link("public.preferences", Purpose.PREFERENCES, subscription)
