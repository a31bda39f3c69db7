# SPDX-License-Identifier: ISC
"""The results as JSON; report.schema.json describes it."""
import datetime
import json

from .verdict import ALL

FORMAT = "smsp-conformance"
FORMAT_VERSION = 1


class BadReport(Exception):
    """A file that is no report of this kind; file and what is wrong."""


def case_record(result, again, faults):
    case = result.case
    return {
        "id": case.id, "version": case.version, "group": case.group, "title": case.title, "level": case.level,
        "rules": case.rules, "sentence": case.sentence, "source": case.source, "verdict": result.verdict,
        "message": result.message, "expected": result.expected, "actual": result.actual, "answer": result.answer,
        "expected_failure": result.excuse, "blocked_by": blocking(result, faults), "seconds": round(result.seconds, 4),
        "deliveries": [{"name": name, "verdict": verdict, "message": message}
                       for name, verdict, message in result.deliveries],
        "transcript": [{"seconds": seconds, "line": line, "text": text} for seconds, line, text in result.transcript],
        "again": again(result),
    }


def blocking(result, faults):
    """The number of the fault that a BLOCKED case waits for."""
    return next((number for number, fault in enumerate(faults, 1) if result.case.id in fault.blocks), None)


def diagnosis_record(run):
    profile = run["profile"]
    return {"seconds": round(run["diagnosis_seconds"], 2), "lines": profile.lines, "profile": profile.record()}


def document(results, run, again):
    """run: name, command, framing, connection, limits, level, deliveries, suite_version, seconds, exit_status,
    profile, diagnosis_seconds, faults."""
    return {
        "format": FORMAT, "format_version": FORMAT_VERSION,
        "suite": {"version": run["suite_version"], "cases": len(results)},
        "server": {key: run[key] for key in ("name", "command", "framing", "connection", "limits")},
        "run": {"started": run["started"], "seconds": round(run["seconds"], 2), "level": run["level"],
                "deliveries": run["deliveries"], "exit_status": run["exit_status"]},
        "diagnosis": diagnosis_record(run),
        "faults": [fault.record(number) for number, fault in enumerate(run["faults"], 1)],
        "summary": {verdict: sum(result.verdict == verdict for result in results) for verdict in ALL},
        "cases": [case_record(result, again, run["faults"]) for result in results],
    }


def write(path, report):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=False, indent=1)
        file.write("\n")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except OSError as error:
        raise BadReport(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadReport(f"{path}: no JSON: {error}") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT or report.get("format_version") != FORMAT_VERSION:
        raise BadReport(f"{path}: not a report of smsp-conformance, format version {FORMAT_VERSION}")
    return report


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
