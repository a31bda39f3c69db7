# SPDX-License-Identifier: ISC
"""Which cases run: globs over ids, groups and rules; and which are expected to fail."""
import fnmatch

from .text import lines_of, near


class BadSelection(Exception):
    """What was asked for does not exist; what to do."""


def names_it(pattern, case):
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in case.names())


def chosen(cases, wanted, unwanted):
    """The cases that a pattern of wanted names (all, if there is none) and no pattern of unwanted does."""
    for pattern in wanted + unwanted:
        if not any(names_it(pattern, case) for case in cases):
            names = sorted({name for case in cases for name in case.names()})
            raise BadSelection(f"{pattern}: no case, group or rule has this name; --list shows them{near(pattern, names)}")
    picked = [case for case in cases if not wanted or any(names_it(pattern, case) for pattern in wanted)]
    return [case for case in picked if not any(names_it(pattern, case) for pattern in unwanted)]


def read_excuses(path, cases):
    """{id: reason} from lines `id reason`. BadSelection: file, line and what is wrong."""
    known = {case.id for case in cases}
    excuses = {}
    for place, line in lines_of(path, BadSelection):
        name, _, reason = line.strip().partition(" ")
        if name not in known:
            raise BadSelection(f"{place}: {name} is no case; --list shows them{near(name, known)}")
        if not reason.strip():
            raise BadSelection(f"{place}: {name} lacks the reason for which it is expected to fail")
        excuses[name] = reason.strip()
    return excuses
