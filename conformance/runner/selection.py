"""Which cases run: globs over ids, groups and rules; and which are expected to fail."""
import fnmatch


class BadSelection(Exception):
    """What was asked for does not exist; what to do."""


def names_it(pattern, case):
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in case.names())


def chosen(cases, wanted, unwanted):
    """The cases that a pattern of wanted names (all, if there is none) and no pattern of unwanted does."""
    for pattern in wanted + unwanted:
        if not any(names_it(pattern, case) for case in cases):
            raise BadSelection(f"{pattern}: no case, group or rule has this name; --list shows them")
    picked = [case for case in cases if not wanted or any(names_it(pattern, case) for pattern in wanted)]
    return [case for case in picked if not any(names_it(pattern, case) for pattern in unwanted)]


def read_excuses(path, cases):
    """{id: reason} from lines `id reason`. BadSelection: file, line and what is wrong."""
    known = {case.id for case in cases}
    excuses = {}
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSelection(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.strip().partition(" ")
        if name not in known:
            raise BadSelection(f"{path}:{number}: {name} is no case; --list shows them")
        if not reason.strip():
            raise BadSelection(f"{path}:{number}: {name} lacks the reason for which it is expected to fail")
        excuses[name] = reason.strip()
    return excuses
