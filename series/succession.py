"""One platform takes the place of another: what it takes over, and which deployment answers to which."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


class CannotReplace(Exception):
    """Why not, and what to do first. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How many rows went over, and how many of them became one with a row that the new platform had already."""

    all: int
    merged: int


def pair_deployments(
    in_use: Collection[str], approved: Collection[str], wanted: Mapping[str, str], *, old: str, new: str
) -> dict[str, str]:
    """Each deployment of `old` that is in use, to the approved one of `new` that takes it over: the one that is wanted,
    else the one with the same id, else the only one. Raises CannotReplace where that is not clear."""
    if in_use and not approved:
        raise CannotReplace(
            f"{new!r} has no approved deployment yet. Open the activity once from there, then"
            f" `lti-tool deployment list --platform {new}` shows which one to approve."
        )
    for new_id in wanted.values():
        if new_id not in approved:
            raise CannotReplace(f"{new!r} has no approved deployment {new_id!r}; it has {_names(approved)}.")
    pairs = {old_id: old_id for old_id in in_use if old_id in approved}
    if not pairs and len(in_use) == len(approved) == 1:
        pairs = dict(zip(in_use, approved, strict=True))
    pairs |= {old_id: new_id for old_id, new_id in wanted.items() if old_id in in_use}
    unclear = [old_id for old_id in in_use if old_id not in pairs]
    if unclear:
        raise CannotReplace(
            f"Say which deployment of {new!r} takes the place of {_names(unclear)} of {old!r}, by"
            f" --deployment OLD_ID=NEW_ID; {new!r} has these approved ones: {_names(approved)}."
        )
    return pairs


def _names(ids: Iterable[str]) -> str:
    return ", ".join(repr(one) for one in ids) or "none"
