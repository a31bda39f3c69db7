# SPDX-License-Identifier: ISC
"""Finds the error that a program printed when it failed."""
import os
import re

PYTHON = re.compile(r'^\s*File "([^"]+)", line (\d+)', re.MULTILINE)
PYTHON_ERROR = re.compile(r"^((?:\w+\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning|Empty|Full|timeout)\b.*)$",
                          re.MULTILINE)
JAVA = re.compile(r"^(?:Exception in thread .*? )?((?:\w+\.)+\w*(?:Exception|Error)\b.*)$", re.MULTILINE)
JAVA_PLACE = re.compile(r"^\s+at .*\((\w+\.(?:java|kt|scala):\d+)\)", re.MULTILINE)
PERL = re.compile(r"^(.* at (\S+) line (\d+)\.?)$", re.MULTILINE)
OTHERS = re.compile(r"^(.*(?:panic:|Segmentation fault|AddressSanitizer|terminate called|Assertion .* failed|"
                    r"\w*Error: ).*)$", re.MULTILINE)


def last_error(text):
    """The last error in a text, as `IndexError: pop from empty list, server.py line 88`; None if there is none."""
    text = text.replace("\r\n", "\n")
    if "Traceback (most recent call last)" in text or PYTHON.search(text):
        errors, places = PYTHON_ERROR.findall(text), PYTHON.findall(text)
        if errors:
            place = f", {os.path.basename(places[-1][0])} line {places[-1][1]}" if places else ""
            return errors[-1].strip() + place
    errors = JAVA.findall(text)
    if errors and JAVA_PLACE.search(text):
        return f"{errors[-1].strip()}, {JAVA_PLACE.search(text).group(1)}"
    errors = PERL.findall(text)
    if errors:
        return errors[-1][0].strip()
    errors = PYTHON_ERROR.findall(text) or OTHERS.findall(text)
    return errors[-1].strip() if errors else None
