#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The files of the project: those that git knows or would take; without git, all that .gitignore does not name.

ci/sources.py [ROOT] prints their names, each ended by NUL.
"""
import fnmatch
import os
import subprocess
import sys


def names(root):
    """Sorted, relative to root."""
    found = by_git(root) if os.path.exists(os.path.join(root, ".git")) else None
    if found is None:
        found = by_walking(root)
    return sorted(name for name in set(found) if os.path.isfile(os.path.join(root, name)))


def by_git(root):
    """None if git is not there, or cannot read this repository."""
    try:
        listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached",
                                 "--others", "--exclude-standard"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]


def by_walking(root):
    """A copy of the sources without a repository: an unpacked archive."""
    ignored = patterns(root)
    for folder, below, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        path = {name: os.path.normpath(os.path.join(inside, name)) for name in below + files}
        below[:] = [name for name in below if name != ".git" and not is_ignored(path[name] + "/", ignored)]
        yield from (path[name] for name in files if not is_ignored(path[name], ignored))


def patterns(root):
    try:
        with open(os.path.join(root, ".gitignore"), encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip() and not line.startswith("#")]
    except FileNotFoundError:
        return []


def is_ignored(path, ignored):
    """Understands what our .gitignore has: /from/the/top, a name anywhere, a folder/, and *."""
    name = os.path.basename(path.rstrip("/")) + ("/" if path.endswith("/") else "")
    return any(fnmatch.fnmatch("/" + path if pattern.startswith("/") else name, pattern) or
               fnmatch.fnmatch("/" + path.rstrip("/") if pattern.startswith("/") else name.rstrip("/"), pattern)
               for pattern in ignored)


if __name__ == "__main__":
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.stdout.buffer.write(b"".join(os.fsencode(name) + b"\0" for name in names(sys.argv[1] if sys.argv[1:] else here)))
    sys.stdout.flush()
