# SPDX-License-Identifier: ISC
"""The command line."""
import argparse
import shlex

from .delivery import NAMES
from .text import near

DESCRIPTION = """\
Plays the conformance transcripts of the Simple Mail Server Protocol against a server:
smspd by default, one that --server starts, or one that runs already at --address."""

EPILOG = """\
In --server's command {host} and {port} stand for where to listen, and {options} for what the limits
profile tells; {announced} in place of {port} asks the server to pick one and to say on standard error
`listening on HOST:PORT`. Exit status: 0 all passed, 1 failures, 2 wrong usage, 3 could not test all of
it, or nothing. README.md beside this program tells more."""


def seconds(text):
    value = float(text)
    if not 0 < value <= 600:
        raise ValueError
    return value


def run_seconds(text):
    value = float(text)
    if not 1 <= value <= 86400:
        raise ValueError
    return value


def address(text):
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text}: want HOST:PORT")
    return host.strip("[]"), int(port)


def command(text):
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    if not words:
        raise argparse.ArgumentTypeError("the command is empty")
    return text


def deliveries(text):
    if text == "all":
        return list(NAMES)
    names = text.replace(",", " ").split()
    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{text}: want all, or some of: {', '.join(NAMES)}")
    return [name for name in NAMES if name in names]


class Parser(argparse.ArgumentParser):
    """One clear line for wrong usage, exit status 2."""

    def error(self, message):
        unknown = message.partition("unrecognized arguments: ")[2].split()
        message += near(unknown[0], self._option_string_actions) if unknown else ""
        self.exit(2, f"smsp-conformance: {message}; see --help\n")


def add_subject(parser):
    subject = parser.add_argument_group("what is tested").add_mutually_exclusive_group()
    subject.add_argument("--server", metavar="COMMAND", type=command, help="start this server, with {host} and {port} filled in")
    subject.add_argument("--address", metavar="HOST:PORT", type=address, help="a server that runs already")
    group = parser.add_argument_group("how it speaks")
    group.add_argument("--name", help="what the reports call it")
    group.add_argument("--framing", choices=("auto", "lf", "crlf", "nul", "none"), default="auto",
                       help="how requests and replies end (auto: ask it)")
    group.add_argument("--connection", choices=("auto", "keep", "each"), default="auto",
                       help="a connection for many requests, or one for each (auto: ask it)")
    group.add_argument("--profile", metavar="FILE", help="how it speaks, from --save-profile: it is not asked again")
    group.add_argument("--save-profile", metavar="FILE", help="write what the diagnosis found, to be edited and given back")
    group.add_argument("--limits", metavar="FILE", help="the server's limits, if there is no profile")
    group.add_argument("--timeout", metavar="S", type=seconds, default=2.0, help="for a reply (2)")
    group.add_argument("--time", metavar="S", type=run_seconds, help="for the whole run (60 for your server, no limit for ours)")
    group.add_argument("--start-timeout", metavar="S", type=seconds, default=15.0, help="for the server to start (15)")


def add_selection(parser):
    group = parser.add_argument_group("which cases, and how")
    group.add_argument("--cases", metavar="PATTERNS", default="", help="ids, groups or rules: 'REG-* STO-3 wire'")
    group.add_argument("--skip", metavar="PATTERNS", default="", help="not these")
    group.add_argument("--level", choices=("must", "should", "choice"),
                       help="what decides the exit status (ours: should, others: must)")
    group.add_argument("--delivery", metavar="NAMES", type=deliveries,
                       help="all, or some of: " + ", ".join(NAMES) + " (ours: all, others: whole)")
    group.add_argument("--expect-fail", metavar="FILE", help="lines `id reason` of cases that are expected to fail")
    group.add_argument("--jobs", metavar="N", type=int, default=0, help="servers at a time (one per core, 4 at most)")
    group.add_argument("--folder", metavar="DIR", help="another folder of cases")


def add_output(parser):
    group = parser.add_argument_group("output")
    form = group.add_mutually_exclusive_group()
    form.add_argument("--tap", action="store_true", help="print TAP, one line for each case")
    form.add_argument("--verbose", action="store_true", help="print each case that did not pass, with its transcript")
    form.add_argument("--bats", action="store_true", help="let BATS report, one test a case")
    group.add_argument("--junit", metavar="FILE", help="write JUnit XML")
    group.add_argument("--json", metavar="FILE", help="write the results as JSON (report.schema.json)")
    group.add_argument("--html", metavar="FILE", help="write one self-contained page")
    group.add_argument("--grade", metavar="FILE", help="write points for each command: Gradescope's results.json, or FILE.csv")
    group.add_argument("--weights", metavar="FILE", help="lines `COMMAND POINTS` for --grade (100 points in all)")
    group = parser.add_argument_group("instead of a run")
    group.add_argument("--explore", metavar="SECONDS", type=run_seconds,
                       help="send random requests; write what differs to explored/ as a case")
    group.add_argument("--seed", metavar="N", type=int, help="for --explore: the same requests again")
    group.add_argument("--batch", metavar="FOLDER", help="test each sub-folder; its command: --server, or its file smsp-command")
    group.add_argument("--out", metavar="DIR", help="for --batch: where the results go (FOLDER-results)")
    group.add_argument("--list", action="store_true", help="print the cases and end")
    group.add_argument("--dry-run", action="store_true", help="print what would run, and what not and why")
    group.add_argument("--merge", metavar="JSON", nargs="+", help="put several results into one --html page")
    group.add_argument("--export", metavar="DIR", help="write the cases in a flat form for other languages")


def read(arguments):
    parser = Parser(prog="smsp-conformance", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    add_subject(parser)
    add_selection(parser)
    add_output(parser)
    options = parser.parse_args(arguments)
    if options.merge and not options.html:
        parser.error("--merge wants --html FILE")
    if options.jobs < 0 or options.jobs > 64:
        parser.error(f"--jobs {options.jobs}: want a number from 1 to 64")
    return options
