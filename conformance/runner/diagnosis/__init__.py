# SPDX-License-Identifier: ISC
"""Finds out how a server speaks before it is judged, assuming nothing. The parts, in the order of their use:

patient    a server that is started again whenever a question has ended it
speech     what ends requests and replies, the greeting, the prompt, connections
questions  what it says in each situation that the document describes, asked twice and compared
traceback  what a program printed when it failed
words      the diagnosis in plain lines
"""
from ..profile import Finding, Profile
from ..text import visible
from . import questions, speech, words
from .patient import Patient, Unreachable


def diagnose(target, settings, framing="auto", connection="auto"):
    """(a Profile, the started server). settings.limits and options are taken over. CannotStart."""
    profile = Profile()
    profile.limits, profile.options = dict(target.limits.wire), dict(target.limits.options)
    settings.profile = profile
    patient = Patient(target, settings, profile)
    try:
        patient.start()
        profile.port = patient.server.port
        target.port = profile.port
        speech.find(patient, None if framing == "auto" else framing, None if connection == "auto" else connection)
        if profile.alive:
            questions.ask_all(patient)
            speech.find_clients(patient)
            speech.find_others(patient)
        patient.touch()
    except Unreachable as error:
        profile.findings.append(Finding(None, "MUST", "SES-1", f"The server could not be started again: {error}"))
    except BaseException:
        patient.stop()
        raise
    profile.slowest = round(patient.slowest, 4)
    note_habits(profile, patient)
    profile.lines = words.lines(profile, patient)
    return profile, patient.server


def note_habits(profile, patient):
    """Habits that a client can be hurt by are findings too."""
    if not profile.alive:
        profile.findings.append(Finding("* *", "MUST", "REG-1", "It answers nothing, however it is asked",
                                        ["REGISTER alice secret"], "nothing", "OK {cookie}"))
    if profile.clients == "one":
        profile.findings.append(Finding("FRM-16", "SHOULD", "FRM-16", "A client waits until the one before it has left"))
    if profile.greeting:
        profile.findings.append(Finding(None, "SHOULD", "FRM-10", "It says something unasked when a client connects",
                                        ["(a client connects)"], visible(profile.greeting.encode()), "nothing"))
    if profile.closes:
        profile.findings.append(Finding(None, "SHOULD", "FRM-10",
                                        f"It closes the connection after {' and '.join(profile.closes)}"))
    if profile.prompt:
        profile.findings.append(Finding(None, "SHOULD", "FRM-10", "It says something more after each reply",
                                        [profile.alive], visible(profile.prompt.encode()), "nothing"))
    if profile.fragile:
        error = patient.fragile_error.error or patient.fragile_error.death
        profile.findings.append(Finding(None, "SHOULD", "FRM-16",
                                        f"It ends when a client connects and leaves without a word: {error}",
                                        ["(a client connects and leaves)"], error, "the server goes on"))


__all__ = ["diagnose"]
