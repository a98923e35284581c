"""What a product makes of the activities that Deep Linking hands it, and what is left to the teacher."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DeepLinking:
    """`takes_windows`: dates of submission become the activity's. `afterwards`: sentences for the teacher, of what the
    LMS will not do by itself."""

    takes_windows: bool = False
    afterwards: tuple[str, ...] = ()
