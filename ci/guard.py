# SPDX-License-Identifier: ISC
"""What the tests must leave as it was: the devices of the machine, and the source tree."""
import os
import stat
import subprocess

KEPT = "__pycache__"  # by Python beside its sources
# Other programs make and remove these while the tests run.
PASSING = ("pts", "shm", "mqueue", "hugepages")


def made(root):
    """What a build makes: the lines of .gitignore that name one place, and build/ in any case."""
    places = {"build", ".git"}
    try:
        with open(os.path.join(root, ".gitignore"), encoding="utf-8") as file:
            places.update(line.strip().strip("/") for line in file if line.startswith("/"))
    except FileNotFoundError:
        pass
    return places


def snapshot(root, devices="/dev"):
    """{path: facts} of all files of both trees."""
    seen, built = {}, made(root)
    for folder, below, files in os.walk(devices):
        if folder == devices:
            below[:] = [name for name in below if name not in PASSING]
        for name in below + files:
            record(seen, os.path.join(folder, name), of_content=False)
    for folder, below, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        below[:] = [name for name in below if name != KEPT and os.path.normpath(os.path.join(inside, name)) not in built]
        for name in below + files:
            path = os.path.normpath(os.path.join(inside, name))
            if path not in built:
                record(seen, os.path.join(root, path), of_content=True)
    return seen


def record(seen, path, of_content):
    try:
        about = os.lstat(path)
    except OSError:
        return  # gone since it was listed
    words = f"{stat.filemode(about.st_mode)} {about.st_uid}:{about.st_gid}"
    if stat.S_ISREG(about.st_mode) and of_content:
        words += f", {about.st_size} bytes, changed {about.st_mtime_ns / 1e9:.3f}"
    elif stat.S_ISCHR(about.st_mode) or stat.S_ISBLK(about.st_mode):
        words += f", device {about.st_rdev}"
    seen[path] = words


def differences(before, after):
    """A line for each file that is new, gone or different."""
    for path in sorted(set(before) | set(after)):
        if before.get(path) != after.get(path):
            yield f"{path}: {before.get(path, 'was not there')} -> {after.get(path, 'is gone')}"


def git_status(root):
    """What git sees beside what is committed; nothing without git."""
    try:
        seen = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "status", "--porcelain"],
                              capture_output=True, text=True, check=False)
    except OSError:
        return set()
    return set(seen.stdout.splitlines())
