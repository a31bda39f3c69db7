# SPDX-License-Identifier: ISC
"""Checks what the runner needs: open standard streams, and room for temporary files."""
import os
import sys
import tempfile

ROOM = 1 << 20  # bytes for the servers' logs, the clients' cookies and BATS


def open_standard_streams():
    """Opens the descriptors 0 to 2 that are closed, so that no socket gets such a number.

    False: standard output was closed, and nobody would see the verdicts.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")
    return sys.stdout is not None


def drop_output():
    """Drops output that cannot be written, so that Python does not try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_room(size=ROOM, folder=None):
    """OSError with the folder's name if a temporary file of that size cannot be written."""
    folder = folder or tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            if file.write(bytes(size)) < size:
                file.write(b"\0")  # now with the reason
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}; TMPDIR can name another directory", folder) from None
