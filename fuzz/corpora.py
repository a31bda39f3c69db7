#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Pack and unpack a corpus: one archive for each target, fuzz/corpus/TARGET.zip.

fuzz/corpora.py pack FOLDER ARCHIVE, fuzz/corpora.py unpack ARCHIVE FOLDER

The name of an input is the SHA-1 of its bytes, as libFuzzer names inputs. The same inputs
always give the same archive: names are sorted, times and modes are fixed, and nothing is
compressed, because zlib's output differs between versions (git compresses the archive anyway).
"""
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ci"))
from ending import end  # noqa: E402  (the path comes first)


class Damaged(Exception):
    """An archive that cannot be used; one line."""


def name_of(data):
    return hashlib.sha1(data).hexdigest()


def pack(folder, archive):
    """Writes the files of folder to archive; the number of inputs. Equal files become one input."""
    inputs = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        inputs[name_of(data)] = data
    temporary = archive + ".new"
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as out:
            for name in sorted(inputs):
                entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                entry.create_system = 3  # Unix: the mode below counts
                entry.external_attr = 0o100644 << 16
                out.writestr(entry, inputs[name])
        os.replace(temporary, archive)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return len(inputs)


def contents(archive):
    """(name, bytes) of each input; Damaged if the archive or a name is wrong."""
    try:
        with zipfile.ZipFile(archive) as file:
            for name in file.namelist():
                data = file.read(name)
                if name != name_of(data):
                    raise Damaged(f"{archive}: the name of input '{name}' is not the SHA-1 of its bytes; pack it again")
                yield name, data
    except zipfile.BadZipFile as error:
        raise Damaged(f"{archive}: {error}; restore it with git") from error


def unpack(archive, folder):
    """Replaces folder by the inputs of archive; the number of inputs."""
    parent = os.path.dirname(os.path.abspath(folder))
    os.makedirs(parent, exist_ok=True)
    work = tempfile.mkdtemp(prefix=".unpack-", dir=parent)
    try:
        fresh = os.path.join(work, "fresh")
        os.mkdir(fresh)
        for name, data in contents(archive):
            with open(os.path.join(fresh, name), "wb") as file:
                file.write(data)
        if os.path.isdir(folder):
            os.rename(folder, os.path.join(work, "old"))
        count = len(os.listdir(fresh))
        os.rename(fresh, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return count


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
        print("corpora.py: usage: fuzz/corpora.py pack FOLDER ARCHIVE | unpack ARCHIVE FOLDER", file=sys.stderr)
        return 2
    try:
        {"pack": pack, "unpack": unpack}[sys.argv[1]](*sys.argv[2:])
    except Damaged as damaged:
        return f"corpora.py: {damaged}"
    except OSError as error:
        return f"corpora.py: {error.filename}: {error.strerror}"
    return 0


if __name__ == "__main__":
    end(main)
