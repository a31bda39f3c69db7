# SPDX-License-Identifier: ISC
"""The results as JUnit XML, for CI systems that read it."""
import re
import xml.etree.ElementTree as tree

from .verdict import DIFFERS, ERROR, FAIL, NOT_RUN, XFAIL, XPASS

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text):
    return FORBIDDEN.sub("\ufffd", text or "")


def kind(result, level):
    """failure, error, skipped or None: only what the level judges may fail."""
    if result.decides(level):
        return "error" if result.verdict == ERROR else "failure"
    return "skipped" if result.verdict in (NOT_RUN, DIFFERS, XFAIL, XPASS, FAIL, ERROR) else None


def write(path, results, run):
    kinds = [kind(result, run["level"]) for result in results]
    suite = tree.Element("testsuite", name=clean(run["name"]), tests=str(len(results)), failures=str(kinds.count("failure")),
                         errors=str(kinds.count("error")), skipped=str(kinds.count("skipped")), time=f"{run['seconds']:.3f}")
    for result, what in zip(results, kinds):
        case = tree.SubElement(suite, "testcase", classname=f"smsp.{result.case.group}", name=result.case.id,
                               time=f"{result.seconds:.3f}")
        if what:
            entry = tree.SubElement(case, what, message=clean(f"{result.verdict}: {result.message}"))
            entry.text = clean("\n".join(text for _, _, text in result.transcript))
    tree.indent(suite)
    tree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
