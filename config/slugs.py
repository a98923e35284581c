"""Short names that universities and LMSs cannot have."""

RESERVED_SLUGS = frozenset({"add", "connect"})  # parts of our own addresses, in the place of a short name
MAX_SLUG_CHARS = 64
