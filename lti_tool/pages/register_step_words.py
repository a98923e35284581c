"""What the steps of all products share."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import LazyString, lazy_gettext


@dataclass(frozen=True, kw_only=True)
class ProductSteps:
    """`begin`: how to register by the link. `by_hand`: where the form is. `our_fields`, `their_fields`: what the
    product calls our addresses and its own. `after`: what is left once the LMS is registered."""

    name: LazyString
    begin: tuple[LazyString, ...]
    by_hand: tuple[LazyString, ...]
    our_fields: Mapping[str, LazyString]
    their_fields: Mapping[str, LazyString]
    after: tuple[LazyString, ...]


TEACHER = lazy_gettext("Tell the teachers: they add it to a course, and choose the whole series as one activity.")
STUDENTS = lazy_gettext("Open the activity once yourself, as a teacher and as a student, and look whether it opens.")
DEPLOYMENT = lazy_gettext(
    "The first launch is refused: it names the new deployment to us, and the coordinator (or you, if you have an "
    "account here) then lets it in with one click."
)
SPEC_THEIRS = {
    "issuer": lazy_gettext("Issuer (platform id)"),
    "client_id": lazy_gettext("Client id"),
    "deployment_id": lazy_gettext("Deployment id"),
    "authorization_endpoint": lazy_gettext("Authentication request URL"),
    "token_endpoint": lazy_gettext("Access token URL"),
    "jwks_uri": lazy_gettext("Public keyset URL"),
    "token_audience": lazy_gettext("Audience of access tokens, if it is another than the access token URL"),
}
SPEC_OURS: Mapping[str, LazyString] = {
    "target": lazy_gettext("Target link URI (tool URL)"),
    "login": lazy_gettext("Initiate login URL"),
    "redirect": lazy_gettext("Redirection URI"),
    "keys": lazy_gettext("Public keyset URL (JWKS)"),
    "deep_link": lazy_gettext("Deep linking URL (content selection)"),
    "custom": lazy_gettext("Custom parameters"),
}
