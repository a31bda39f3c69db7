# SPDX-License-Identifier: ISC
"""How our programs end: what was printed must have reached standard output."""
import errno
import io
import os
import sys

UNWRITTEN = 3  # the status when a report could not be written
OF_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE)


def end(main, *arguments):
    """Runs main and ends with its status. Python itself writes what is buffered after the program's end, where a
    full disk costs a traceback and turns every status into 120."""
    if sys.stdout is None:  # closed by the caller: the next file that is opened would take its place
        give_up("closed")
    if isinstance(sys.stdout.buffer, io.RawIOBase):  # PYTHONUNBUFFERED: argparse of Python 3.13 then drops an error
        sys.stdout = open(1, "w", buffering=1, encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False)
    try:
        status = main(*arguments)
    except SystemExit as leaving:
        status = leaving.code
    except OSError as error:
        if error.filename is None and error.errno in OF_OUTPUT:
            give_up(error.strerror)
        raise
    try:
        sys.stdout.flush()
    except OSError as error:
        give_up(error.strerror)
    sys.exit(status)


def give_up(reason):
    """Ends the program; what is still buffered goes nowhere."""
    print(f"{os.path.basename(sys.argv[0])}: standard output: {reason}", file=sys.stderr, flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(UNWRITTEN)
