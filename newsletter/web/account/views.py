"""Signing in and out."""

from flask import Blueprint

from ..access import public, signed_in

blueprint = Blueprint("account", __name__)


@blueprint.get("/sign-in")
@public
def sign_in() -> str:
    return "Sign in"


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> str:
    return "Signed out"


@blueprint.get("/desk/account")
@signed_in
def account() -> str:
    return "Account"
