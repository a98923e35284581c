"""What the roles of a launch allow: the same function reads a roster's, so it is in `series`."""

from series.roles import Roles, read_roles

__all__ = ["Roles", "read_roles"]
