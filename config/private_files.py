"""Files with data of persons: whatever the umask, only the account that runs the program may read what it writes.

Every command that writes such a file does it here (tests/integration/privacy/test_private_files.py looks for others).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from config.command_line import Failure

OWNER_ALONE = 0o600
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY


@contextmanager
def new_private_file(file: Path) -> Iterator[BinaryIO]:
    """A new file to be written, with mode 0600. What breaks off leaves none behind. Raises Failure: there is one by
    that name already, or there cannot be."""
    try:
        opened = os.fdopen(os.open(file, _NEW, OWNER_ALONE), "wb")
    except FileExistsError as error:
        raise Failure(f"{file} is there already; please name a new file.") from error
    except OSError as error:
        raise _not_written(file, error) from error
    try:
        with opened:
            os.fchmod(opened.fileno(), OWNER_ALONE)  # a umask may have taken even the owner's
            yield opened
    except BaseException as error:
        file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _not_written(file, error) from error
        raise


def make_private(path: Path) -> None:
    """Make an empty file for somebody else to open, unless it is there. One that cannot be made is said by them."""
    with suppress(OSError):
        os.close(os.open(path, _NEW, OWNER_ALONE))
        path.chmod(OWNER_ALONE)


def _not_written(file: Path, error: OSError) -> Failure:
    return Failure(f"{file} cannot be written ({error.strerror}); choose another name.")
