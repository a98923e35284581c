"""The RSA key with which a campus signs: made at its first start, kept in the database."""

from functools import cache

from joserfc.jwk import RSAKey

from sandbox_lms.database import Database

KEY_BITS = 2048


def signing_key_pem(database: Database, slug: str) -> str:
    """The private key of this campus, as PEM."""
    with database.write() as connection:
        row = connection.execute("SELECT private_pem FROM signing_key WHERE campus = ?", (slug,)).fetchone()
        if row is not None:
            return str(row["private_pem"])
        pem = RSAKey.generate_key(KEY_BITS).as_pem(private=True).decode()
        connection.execute("INSERT INTO signing_key (campus, private_pem) VALUES (?, ?)", (slug, pem))
        return pem


@cache
def public_pem(private_pem: str) -> str:
    return RSAKey.import_key(private_pem).as_pem(private=False).decode()
