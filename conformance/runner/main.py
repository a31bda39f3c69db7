# SPDX-License-Identifier: ISC
"""Puts the parts together: reads cases, finds the server, runs, reports."""
import contextlib
import os
import shlex
import signal
import sys
import time

from . import (batch, environment, explore, export, grade, options, report_bats, report_html, report_json, report_junit,
               report_tap, report_text)
from .diagnosis import diagnose
from .faults import find_faults
from .limits import OUR_OPTIONS, BadProfile, Limits, read_limits
from .player import Settings
from .profile import BadServerProfile, Profile, read_profile
from .selection import BadSelection, chosen, read_excuses
from .server import CannotStart
from .suite import Suite, Target, style_refusal
from .transcript import BadCase, read_cases
from .verdict import DIFFERS, exit_status

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(HERE)
OURS = os.path.join(ROOT, "server", "smspd")
CLIENT = os.path.join(ROOT, "client", "smsp")
USAGE, UNTESTED = 2, 3
RUN_TAKES = 58.0  # seconds for a run on somebody's server, so that with its end it is a minute


class Stop(Exception):
    """Ends the program with a line and a status."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


def suite_version(folder):
    with contextlib.suppress(OSError):
        with open(os.path.join(folder, "VERSION"), encoding="utf-8") as file:
            return file.read().strip()
    return "unversioned"


def is_ours(chosen_options):
    return not chosen_options.server and not chosen_options.address


def make_target(chosen_options):
    ours = is_ours(chosen_options)
    limits = Limits(options=OUR_OPTIONS if ours else None)
    if chosen_options.profile:
        profile = read_profile(chosen_options.profile)
        limits = Limits(dict(limits.wire, **profile.limits), dict(limits.options, **profile.options))
    if chosen_options.limits:
        limits = read_limits(chosen_options.limits, limits)
    # Thousands of passwords are hashed for all deliveries and by --explore; their cost is no matter of the protocol.
    cost = "--password-cost test" if chosen_options.explore or chosen_options.delivery != ["whole"] else ""
    command = chosen_options.server or f"{shlex.quote(OURS)} {cost} {{options}} {{host}} {{announced}}"
    if ours and not os.access(OURS, os.X_OK):
        raise Stop("server/smspd is not built: run make, or name a server with --server or --address", UNTESTED)
    if not chosen_options.address and "{port}" not in command and "{announced}" not in command:
        raise Stop("--server: the command needs {port}, where the server's port goes", USAGE)
    client = CLIENT if ours and os.access(CLIENT, os.X_OK) else None
    return Target(limits, None if chosen_options.address else command, chosen_options.address,
                  chosen_options.name or ("smspd" if ours else None), chosen_options.start_timeout, client)


def meet(target, settings, chosen_options):
    """Learns how the server speaks, from --profile or by asking it: a started server. Stop."""
    server = target.server()
    try:
        if not chosen_options.profile:
            ours = is_ours(chosen_options)
            framing = "lf" if ours and chosen_options.framing == "auto" else chosen_options.framing
            connection = "keep" if ours and chosen_options.connection == "auto" else chosen_options.connection
            profile, server = diagnose(target, settings, framing, connection)
            settings.take(profile)
            target.has_started = True
        elif not target.address:
            server.start(settings)
        if server.started_here and not chosen_options.profile:
            server.stop()  # it has met the diagnosis
            server = None
    except CannotStart as error:
        hint = "" if target.address else "; if it runs already, test it with --address HOST:PORT"
        raise Stop(f"{target.name}: {error}{hint}", UNTESTED) from None
    except BaseException:  # Ctrl-C
        server.stop()
        raise
    return server


def known_profile(chosen_options):
    """The Profile of --profile, or of a server that speaks as ours; the command line has the last word."""
    profile = read_profile(chosen_options.profile) if chosen_options.profile else Profile()
    if chosen_options.framing != "auto":
        profile.requests = profile.replies = chosen_options.framing
    if chosen_options.connection != "auto":
        profile.connection = chosen_options.connection
    return profile


def again_words(chosen_options):
    """The command and how it meets the server."""
    words = ["conformance/smsp-conformance"]
    for name in ("server", "profile", "limits"):
        if getattr(chosen_options, name):
            words += [f"--{name}", getattr(chosen_options, name)]
    if chosen_options.address:
        words += ["--address", "%s:%d" % chosen_options.address]
    for name in ("framing", "connection"):
        if getattr(chosen_options, name) != "auto":
            words += [f"--{name}", getattr(chosen_options, name)]
    return words


def again(chosen_options):
    """A function that gives the one command which repeats a case."""
    words = again_words(chosen_options)

    def command(result):
        delivery = (result.failed_delivery or "whole").split()[0]
        more = ["--delivery", delivery] if delivery in options.NAMES else []
        return shlex.join(words + ["--cases", result.case.id] + more)
    return command


def describe(cases, target, settings, out):
    """The dry run."""
    for case in cases:
        why = target.refusal(case)[0] or style_refusal(case, settings)
        print(f"{case.id:44} {case.level:6} {'not run: ' + why if why else 'would run'}", file=out)


def print_list(cases):
    for case in cases:
        print(f"{case.id:44} {case.level:6} {' '.join(case.rules):24} {case.title}")


def job_count(chosen_options, cases):
    if chosen_options.address:
        return 1
    return min(chosen_options.jobs or min(os.cpu_count() or 1, 4), len(cases))


def run_cases(cases, chosen_options, target, excuses):
    """(results, the facts of the run, the command that repeats a case)."""
    level = chosen_options.level or ("should" if is_ours(chosen_options) else "must")
    names = chosen_options.delivery or (list(options.NAMES) if is_ours(chosen_options) else ["whole"])
    began, started = time.monotonic(), report_json.now()
    settings = Settings(timeout=chosen_options.timeout, limits=target.limits, profile=known_profile(chosen_options))
    server = meet(target, settings, chosen_options)
    diagnosed = time.monotonic() - began
    repeat = again(chosen_options)
    jobs = 1 if settings.profile.port else job_count(chosen_options, cases)
    suite = Suite(cases, target, settings, names, jobs, excuses, time_left(chosen_options, diagnosed))
    with_bats = chosen_options.bats and report_bats.available()
    report = make_report(chosen_options, with_bats, cases, level, repeat)
    suite.tell = report.take
    try:
        report.begin([f"{target.name}:", *settings.profile.lines,
                      f"deliveries: {', '.join(names)}; timeout {settings.timeout:g} s"])
        results = suite.run(server)
        bats_status = report.end() if with_bats else 0
    finally:
        suite.stopping = True
        if server:
            server.stop()
        if with_bats:
            report.close()
    run = {"name": target.name, "command": target.command, "framing": settings.framing, "started": started,
           "connection": settings.connection, "limits": target.limits.wire, "level": level, "deliveries": names,
           "seconds": time.monotonic() - began, "exit_status": exit_status(results, level)}
    run["profile"], run["diagnosis_seconds"] = settings.profile, diagnosed
    run["faults"] = find_faults(results, run["profile"], repeat)
    agree(run, with_bats, bats_status)
    if chosen_options.bats and not with_bats:
        print("# incomplete: bats is missing; the runner reported by itself", flush=True)
        run["exit_status"] = run["exit_status"] or UNTESTED
    return results, run, repeat


def explore_server(chosen_options, cases):
    """Random requests in place of cases; the exit status."""
    explore.load_search()
    target = make_target(chosen_options)
    settings = Settings(timeout=chosen_options.timeout, limits=target.limits, profile=known_profile(chosen_options))
    server = meet(target, settings, chosen_options)
    number = chosen_options.seed if chosen_options.seed is not None else int.from_bytes(os.urandom(3), "big")
    print("\n".join([f"{target.name}:", *settings.profile.lines, f"exploring with seed {number}"]), flush=True)
    began = time.monotonic()
    judge, found = explore.explore(target, settings, server, chosen_options.explore, number)
    if found:
        path, text = explore.write(*found, cases)
        words = shlex.join(again_words(chosen_options) + ["--folder", explore.FOLDER])
        print(f"\nA difference, in {len(found[0].exchanges)} requests:\n\n{text}\nwritten to {path}; to replay it: {words}")
    print(f"# {judge.stories} random sessions, {judge.requests} requests, {time.monotonic() - began:.0f} s: "
          f"{'1 difference' if found else 'no difference'} at level MUST", flush=True)
    return 1 if found else 0


def make_report(chosen_options, with_bats, cases, level, repeat):
    """What prints the results: BATS, TAP, or the report for people."""
    if with_bats:
        return report_bats.BatsReport(cases, level, repeat)
    if chosen_options.tap or chosen_options.bats:
        return report_tap.TapReport(cases, level, repeat)
    return report_text.TextReport(cases)


def time_left(chosen_options, spent):
    """Seconds for the cases; None: as many as they take."""
    if chosen_options.time is None:
        return None if is_ours(chosen_options) else max(1.0, RUN_TAKES - spent)
    return max(1.0, chosen_options.time - spent)


def agree(run, with_bats, bats_status):
    """BATS must have come to the same end as the runner."""
    if with_bats and (bats_status != 0) != (run["exit_status"] == 1):
        print(f"# bats ended with status {bats_status}, which is not what the verdicts say", flush=True)
        run["exit_status"] = run["exit_status"] or UNTESTED


def finish(results, run, repeat, chosen_options):
    """Writes the reports that were asked for, and the last lines."""
    document = report_json.document(results, run, repeat)
    lost = write_reports(results, run, document, chosen_options)
    if not (chosen_options.tap or chosen_options.bats):
        print("\n".join(report_text.report(document)))
        if chosen_options.verbose:
            print_details(results, run["level"], repeat)
        print()
    missing = [result.message for result in results if result.incomplete]
    if missing:
        print(f"# incomplete: {len(missing)} cases could not run: {'; '.join(sorted(set(missing)))}")
    print_decisive(results, run["level"], chosen_options)
    if chosen_options.html:
        print(f"# report: {chosen_options.html}")
    print(f"# {report_tap.summary(results, run['level'], run['seconds'])}", flush=True)
    for line in lost:
        print(f"smsp-conformance: {line}", file=sys.stderr)
    return run["exit_status"] or (UNTESTED if lost else 0)


def print_decisive(results, level, chosen_options):
    """The ids of the cases that decide the exit status; an answer of its own is no failure."""
    deciding = [result for result in results if result.decides(level)]
    failed = [result.case.id for result in deciding if result.verdict != DIFFERS]
    differing = [result.case.id for result in deciding if result.verdict == DIFFERS]
    if failed and (chosen_options.tap or chosen_options.bats or chosen_options.verbose):
        print(f"# not passed: {' '.join(failed)}")
    if differing:
        print(f"# differs, at level {level}: {' '.join(differing)}")


def print_details(results, level, repeat):
    """Each case that did not pass, with its transcript."""
    for result in results:
        if report_tap.worth_telling(result, level):
            print("", f"{result.case.id}: {result.case.title}", *report_tap.details(result, repeat(result)), sep="\n")


def write_reports(results, run, document, chosen_options):
    """What could not be written, a line each: the verdicts are printed all the same."""
    lost = []
    for path, write in ((chosen_options.junit, lambda path: report_junit.write(path, results, run)),
                        (chosen_options.json, lambda path: report_json.write(path, document)),
                        (chosen_options.save_profile, run["profile"].write),
                        (chosen_options.grade, lambda path: grade.write(path, document, chosen_options.points)),
                        (chosen_options.html, lambda path: report_html.write(path, [document]))):
        try:
            if path:
                write(path)
        except OSError as error:
            lost.append(f"{path}: {error.strerror}")
    return lost


def check_reports(chosen_options):
    """A report that cannot be written is told before the run, not after it."""
    for path in (chosen_options.junit, chosen_options.json, chosen_options.html, chosen_options.save_profile,
                 chosen_options.grade):
        if path:
            with open(path, "ab"):
                pass


def check_temporary_files():
    try:
        environment.check_room()
    except OSError as error:
        raise Stop(f"cannot write temporary files in {error.filename}: {error.strerror}", UNTESTED) from None


def instead_of_a_run(chosen_options, cases):
    """True if the command line asked for something else, which is then done."""
    if chosen_options.list:
        print_list(cases)
    elif chosen_options.export:
        print(export.write(cases, chosen_options.export))
    elif chosen_options.dry_run:
        settings = Settings("lf" if chosen_options.framing == "auto" else chosen_options.framing,
                            "keep" if chosen_options.connection == "auto" else chosen_options.connection)
        describe(cases, make_target(chosen_options), settings, sys.stdout)
    else:
        return False
    return True


def run(arguments):
    chosen_options = options.read(arguments)
    chosen_options.points = grade.read_weights(chosen_options.weights) if chosen_options.weights else None
    if chosen_options.merge:
        report_html.write(chosen_options.html, [report_json.read(path) for path in chosen_options.merge])
        return 0
    if chosen_options.batch:
        out = chosen_options.out or chosen_options.batch.rstrip("/") + "-results"
        return batch.Batch(chosen_options.batch, out, chosen_options, os.path.join(HERE, "smsp-conformance")).whole()
    folder = chosen_options.folder or os.path.join(HERE, "cases")
    every = read_cases(folder)
    cases = chosen(every, chosen_options.cases.split(), chosen_options.skip.split())
    if instead_of_a_run(chosen_options, cases):
        return 0
    if chosen_options.explore:
        check_temporary_files()
        return explore_server(chosen_options, every)
    if not cases:
        raise Stop("no case is left to run", UNTESTED)
    check_reports(chosen_options)
    check_temporary_files()
    excuses = read_excuses(chosen_options.expect_fail, every) if chosen_options.expect_fail else {}
    target = make_target(chosen_options)
    results, facts, repeat = run_cases(cases, chosen_options, target, excuses)
    facts["suite_version"] = suite_version(folder)
    return finish(results, facts, repeat, chosen_options)


def stop_on_signals():
    """SIGTERM and SIGHUP end the run with all that it started."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: sys.exit(128 + got))


def main(arguments):
    stop_on_signals()
    if not environment.open_standard_streams():
        print("smsp-conformance: standard output is closed: nobody would see the verdicts", file=sys.stderr)
        return UNTESTED
    try:
        status = run(arguments)
        sys.stdout.flush()  # Python's own flush at the end would only give status 120
    except Stop as stop:
        status = stop.status
        print(f"smsp-conformance: {stop}", file=sys.stderr)
    except (BadCase, BadProfile, BadServerProfile, BadSelection, grade.BadWeights, batch.BadBatch, report_json.BadReport) as error:
        status = USAGE
        print(f"smsp-conformance: {error}", file=sys.stderr)
    except explore.CannotExplore as error:
        status = UNTESTED
        print(f"smsp-conformance: {error}", file=sys.stderr)
    except BrokenPipeError:
        environment.drop_output()
        status = UNTESTED
    except OSError as error:
        if not error.filename:
            environment.drop_output()
        status = USAGE if error.filename else UNTESTED
        print(f"smsp-conformance: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        status = 130
        print("smsp-conformance: stopped before the end", file=sys.stderr)
    return status
