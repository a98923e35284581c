"""Cases 65 to 92: who signed, when, for whom, and in answer to which login."""

from tests.integration.lti.forged import (
    hs256_with_the_public_key,
    other_payload,
    rs384,
    signature,
    strangers_key,
    unsigned,
)
from tests.integration.lti.lms import public_jwk, rsa_key
from tests.integration.lti.numbered import case
from tests.integration.lti.sending import (
    claims,
    header,
    in_as_login,
    keys,
    literal,
    login,
    times,
    token,
    twice,
    two_launches,
    two_logins,
    without,
)
from tests.integration.lti.sides import BROKE, LEARNER, REFUSED, Side

YEAR_S = 365 * 24 * 3600
NOBODY = {"iss": "https://nobody.example"}
SLASH = {"iss": "https://malta.lms.example/"}


def without_alg(side: Side) -> None:
    key = public_jwk(side.malta.key, side.malta.kid)
    del key["alg"]
    side.malta.publish(key)


def strangers_twin_first(side: Side) -> None:
    kid = side.malta.kid
    side.malta.publish(public_jwk(rsa_key("a stranger's"), kid), public_jwk(side.malta.key, kid))


def strangers_twin_last(side: Side) -> None:
    kid = side.malta.kid
    side.malta.publish(public_jwk(side.malta.key, kid), public_jwk(rsa_key("a stranger's"), kid))


SIGNATURES = [
    *case(
        65,
        "algorithm_refused",
        REFUSED,
        none=unsigned("none"),
        none_capital=unsigned("None"),
        empty=unsigned(""),
        null=unsigned(None),
        number=unsigned(5),
        list=unsigned(["RS256"]),
    ),
    *case(
        66,
        "algorithm_refused",
        REFUSED,
        hs256=token("HS256 with the public key as its secret", hs256_with_the_public_key),
    ),
    *case(67, "algorithm_refused", REFUSED, rs384=token("RS384 by a key declared RS256", rs384)),
    *case(68, "signature_wrong", REFUSED, other_payload=token("another payload under the signature", other_payload)),
    *case(
        69,
        "signature_wrong",
        REFUSED,
        one_bit=signature("one bit of the signature changed", lambda good: bytes([good[0] ^ 1]) + good[1:]),
        empty=signature("an empty signature", lambda _: b""),
        short=signature("a signature one byte short", lambda good: good[:-1]),
        zeros=signature("a signature of zeros", lambda good: bytes(len(good))),
    ),
    *case(70, "signature_wrong", REFUSED, other_key=token("another key under the same `kid`", strangers_key)),
    *case(
        71,
        "signature_wrong",
        REFUSED,
        crit_exp=header({"crit": ["exp"], "exp": 1}),
        crit_odd=header({"crit": ["odd"], "odd": 1}),
        crit_text=header({"crit": "odd"}),
        crit_number=header({"crit": 5}),
    ),
    *case(71, "token_malformed", REFUSED, crit_b64_false=header({"crit": ["b64"], "b64": False})),
    *case(71, LEARNER, REFUSED, crit_empty=header({"crit": []})),
    *case(71, LEARNER, LEARNER, crit_b64=header({"crit": ["b64"], "b64": True}), not_critical=header({"odd": 1})),
    *case(
        72, "key_unknown", REFUSED, twin_first=keys("two keys with one `kid`, the right one last", strangers_twin_first)
    ),
    *case(
        72, "key_unknown", LEARNER, twin_last=keys("two keys with one `kid`, the right one first", strangers_twin_last)
    ),
    *case(73, LEARNER, LEARNER, key_without_alg=keys("a key without `alg`", without_alg)),
]

TIMES = [
    *case(77, "claim_missing", LEARNER, no_exp=without("exp")),
    *case(78, "claim_missing", LEARNER, no_iat=without("iat")),
    *case(
        79,
        "claim_malformed",
        LEARNER,
        exp_text=claims({"exp": "4000000000"}),
        exp_huge=claims({"exp": 10**30}, says="`exp` 10^30"),
        exp_huge_float=claims({"exp": 1e300}),
        iat_text=claims({"iat": "1790000000"}),
        iat_true=claims({"iat": True}),
        iat_negative=claims({"iat": -1}),
    ),
    *case(
        79,
        "claim_malformed",
        REFUSED,
        exp_text_of_the_past=claims({"exp": "1"}),
        exp_true=claims({"exp": True}),
        exp_negative=claims({"exp": -1}),
        exp_null=claims({"exp": None}),
        exp_list=claims({"exp": [1]}),
        exp_object=claims({"exp": {}}),
        exp_beyond_floats=literal("exp", "1e999"),
        iat_null=claims({"iat": None}),
        iat_list=claims({"iat": [1]}),
        iat_object=claims({"iat": {}}),
        iat_huge=claims({"iat": 10**30}, says="`iat` 10^30"),
        iat_huge_float=claims({"iat": 1e300}),
        iat_beyond_floats=literal("iat", "1e999"),
    ),
    *case(
        79,
        "token_malformed",
        REFUSED,
        exp_nan=literal("exp", "NaN"),
        exp_infinity=literal("exp", "Infinity"),
        exp_minus_infinity=literal("exp", "-Infinity"),
        iat_nan=literal("iat", "NaN"),
        iat_infinity=literal("iat", "Infinity"),
        iat_minus_infinity=literal("iat", "-Infinity"),
    ),
    *case(80, LEARNER, REFUSED, iat_30_s_ahead=times(iat=30)),
    *case(80, "token_from_future", REFUSED, iat_10_min_ahead=times(iat=600, exp=900)),
    *case(81, LEARNER, REFUSED, exp_30_s_ago=times(iat=-60, exp=-30)),
    *case(81, "token_expired", REFUSED, exp_10_min_ago=times(iat=-900, exp=-600)),
    *case(
        82,
        "token_too_old",
        LEARNER,
        a_year_old=times(iat=-YEAR_S, exp=YEAR_S),
        eleven_minutes_old=times(iat=-660, exp=YEAR_S),
    ),
]

PARTIES = [
    *case(83, "platform_mismatch", BROKE, at_login=login(NOBODY)),
    *case(83, "platform_unknown", BROKE, at_the_general_login=login(NOBODY, path="/lti/login")),
    *case(83, "issuer_wrong", BROKE, at_launch=claims(NOBODY)),
    *case(83, "claim_missing", REFUSED, none=without("iss")),
    *case(84, "platform_mismatch", BROKE, slash_at_login=login(SLASH)),
    *case(84, "issuer_wrong", BROKE, slash_at_launch=claims(SLASH)),
    *case(85, "platform_mismatch", BROKE, bs_client_id=login({"client_id": "client-of-vilnius"})),
    *case(
        85,
        "key_unknown",
        LEARNER,
        bs_token=in_as_login("B's token in a login of A", lambda a, b, claims: b.sign(claims)),
    ),
    *case(
        85,
        "issuer_wrong",
        REFUSED,
        bs_claims=in_as_login("B's claims, signed by A", lambda a, b, claims: a.sign(claims)),
    ),
    *case(
        85,
        "signature_wrong",
        REFUSED,
        as_kid=in_as_login(
            "B's token under A's `kid`",
            lambda a, b, claims: b.sign(claims, header={"alg": "RS256", "kid": a.kid}),
        ),
    ),
    *case(
        86,
        LEARNER,
        LEARNER,
        text=claims({"aud": "client-of-malta"}),
        list_of_one=claims({"aud": ["client-of-malta"]}),
        first_of_two=claims({"aud": ["client-of-malta", "other"], "azp": "client-of-malta"}),
    ),
    *case(86, LEARNER, BROKE, second_of_two=claims({"aud": ["other", "client-of-malta"], "azp": "client-of-malta"})),
    *case(
        86,
        "audience_wrong",
        BROKE,
        another=claims({"aud": "other"}),
        list_of_others=claims({"aud": ["other", "another"]}),
    ),
    *case(87, "claim_missing", LEARNER, no_azp=claims({"aud": ["client-of-malta", "other"]})),
    *case(
        88,
        "audience_wrong",
        LEARNER,
        azp_other=claims({"azp": "other"}),
        azp_other_of_two=claims({"aud": ["client-of-malta", "other"], "azp": "other"}),
        azp_empty=claims({"azp": ""}),
    ),
    *case(88, "claim_malformed", LEARNER, azp_null=claims({"azp": None})),
    *case(89, "audience_wrong", BROKE, empty_list=claims({"aud": []})),
    *case(89, "audience_wrong", REFUSED, empty=claims({"aud": ""})),
    *case(89, "claim_malformed", REFUSED, null=claims({"aud": None}), list_of_null=claims({"aud": [None]})),
    *case(89, "claim_malformed", BROKE, number=claims({"aud": 5}), object=claims({"aud": {"client-of-malta": 1}})),
    *case(89, "claim_missing", REFUSED, none=without("aud")),
]

NONCES = [
    *case(90, "claim_missing", REFUSED, none=without("nonce")),
    *case(90, "nonce_wrong", REFUSED, unknown=claims({"nonce": "unknown"})),
    *case(90, "claim_malformed", REFUSED, empty=claims({"nonce": ""}), null=claims({"nonce": None})),
    *case(90, "claim_malformed", BROKE, list=claims({"nonce": ["unknown"]}), number=claims({"nonce": 5})),
    *case(
        91,
        "nonce_wrong",
        LEARNER,
        mixed=two_logins("the token of one login with the `state` of another", lambda a, b: (b, a.id_token())),
    ),
    *case(
        92,
        "nonce_spent",
        LEARNER,
        same_form=twice("the same form a second time"),
        other_token=two_launches(
            "a token of somebody else in a login that was used",
            lambda login: login.id_token(),
            lambda login: login.id_token({"sub": "student-6"}),
        ),
    ),
    *case(
        92,
        LEARNER,
        LEARNER,
        after_a_refusal=two_launches(
            "a good token after one that was refused",
            lambda login: login.id_token({"version": "1.2.0"}),
            lambda login: login.id_token(),
        ),
    ),
]

TOKENS = [*SIGNATURES, *TIMES, *PARTIES, *NONCES]
