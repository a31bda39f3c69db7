# SPDX-License-Identifier: ISC
"""What the mutants stand on: the reference server, and a list of them all.

A mutant is a class derived from Mail, Frames or Server, or from Client, that is
wrong in one way; its docstring says which. LEVEL is how the suite must notice: by a case
that fails (MUST or SHOULD), or, if the document allows what it does, by a case
that DIFFERS (CHOICE). RIGHT is a server that obeys the document in another way than
ours: no MUST or SHOULD case may fail it but those in its `about`.
"""
import importlib.util
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
SPEC = importlib.util.spec_from_file_location(
    "smsp_reference", os.path.join(os.path.dirname(HERE), "reference", "smsp_reference.py"))
reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(reference)

Mail, Frames, OK, KO, LOG_IN = (getattr(reference, name) for name in ("Mail", "Frames", "OK", "KO", "LOG_IN"))
MUTANTS = {}


class Server(reference.Server):
    """The reference server, but a reply of None is not sent."""

    def send(self, client, replies, end):
        super().send(client, [reply for reply in replies if reply is not None], end)


class AnyShape(Mail):
    """Cookies of any shape."""

    def user_of(self, cookie):
        return next((user for user, known in self.ID.items() if known == cookie), None)


class Unknown(Mail):
    """Another reply to an unknown cookie, by verb."""

    verb, reply = b"MESSAGE", KO

    def __init__(self, options):
        super().__init__(options)
        self.commands[self.verb] = (*self.commands[self.verb][:2], self.reply)


def mutant(level):
    """Puts a class on the list, as store-takes-oldest for StoreTakesOldest."""
    def register(kind):
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
        kind.level, kind.name = level, name
        MUTANTS[name] = kind
        return kind
    return register


MUST, SHOULD, CHOICE, RIGHT = mutant("MUST"), mutant("SHOULD"), mutant("CHOICE"), mutant("RIGHT")


def load_all():
    """{name: class} of every mutant."""
    for name in sorted(os.listdir(HERE)):
        if name.startswith(("wrong_", "right_")) and name.endswith(".py"):
            importlib.import_module(name[:-3])
    return MUTANTS


def is_client(kind):
    return getattr(kind, "is_client", False)


def run(kind, arguments):
    """Runs a mutant as a server, or as the client."""
    if is_client(kind):
        return kind().main(arguments)
    if issubclass(kind, reference.Mail):
        return reference.main(arguments, make_mail=kind, make_server=Server)
    if issubclass(kind, reference.Server):
        return reference.main(arguments, make_server=kind)
    return reference.main(arguments, make_server=type("Server", (Server,), {"frames": kind}))
