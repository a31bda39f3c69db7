#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Plays one scenario against a real smspd: scenarios.py NAME [COUNT]. Exit status 0: all as it should be."""
import os
import socket
import sys

import access_scenarios
import call_scenarios
import dump_scenarios
import failing_scenarios
import fairness_scenarios
import place_scenarios
import process_scenarios
import root_scenarios
import store_scenarios
import wire_scenarios
from harness import SCENARIOS, SMSPD, end_cleanly

SKIPPED = 77  # the status of a scenario that cannot be played here
LONGEST = 600  # seconds; then a scenario has failed
MODULES = (access_scenarios, call_scenarios, dump_scenarios, failing_scenarios, fairness_scenarios, place_scenarios, process_scenarios,
           root_scenarios, store_scenarios, wire_scenarios)  # each fills SCENARIOS


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in SCENARIOS:
        print("usage: scenarios.py NAME [COUNT]\n" + "\n".join(SCENARIOS), file=sys.stderr)
        return 2
    if not os.access(SMSPD, os.X_OK):
        print(f"{SMSPD}: not there; make builds it", file=sys.stderr)
        return 1
    end_cleanly(LONGEST)
    socket.setdefaulttimeout(20)
    try:
        SCENARIOS[sys.argv[1]](*map(int, sys.argv[2:]))
    except PermissionError as error:
        if os.geteuid() == 0 or not str(error.filename).startswith("/proc/"):
            raise
        print(f"{error.filename}: the server hides its processes: only root may look into them")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
